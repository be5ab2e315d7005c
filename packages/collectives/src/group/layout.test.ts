import { expect, it } from "vitest";
import { GroupLayout } from "./layout.js";

const pageBytes = 4096;

it("no block, window or slot starts at a page boundary, where copies to local arrays are slow", () => {
  for (let worldSize = 1; worldSize <= 64; worldSize++) {
    const layout = new GroupLayout(worldSize, 64 * 1024);
    const places = [...Array(worldSize).keys()].flatMap((rank) => [
      layout.operand(rank),
      layout.result(rank),
      layout.window(rank, 0),
      layout.window(rank, 1),
    ]);
    if (worldSize === 2) places.push(layout.slot(0), layout.slot(1));
    expect(places.filter((place) => (4 * place) % pageBytes === 0)).toEqual([]);
  }
});
