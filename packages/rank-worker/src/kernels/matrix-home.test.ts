import { bytesOf } from "@ringrank/model/weights";
import { pageBytes } from "@ringrank/webassembly";
import { pino } from "pino";
import { expect, it } from "vitest";
import { MatrixHome } from "./matrix-home.js";
import { RankKernels } from "./rank-kernels.js";

/** Values and scales of a matrix with this many blocks of 4 bits: 20 bytes per block. */
const matrix = (blocks: number) =>
  [
    { type: "uint8", count: 16 * blocks },
    { type: "float32", count: blocks },
  ] as const;

/** As many blocks as fit into half a page, with the memory's own needs subtracted. */
const halfPage = matrix(Math.floor(pageBytes / 2 / 20) - 100);

const halfPageBytes = 20 * halfPage[1].count;

const spare = 1.25 * pageBytes;

const noMemory = new RangeError("could not allocate memory");

/** A home whose own memory has room for one half page in addition to the spare bytes, others for two; and its log. */
function home({ memories = 10, hasOwn = true, workBytes = 0 } = {}) {
  const own = hasOwn ? new RankKernels(2) : undefined;
  const messages: string[] = [];
  const log = pino(
    { level: "warn" },
    { write: (line: string) => void messages.push((JSON.parse(line) as { msg: string }).msg) },
  );
  let left = memories;
  const open = (): RankKernels => {
    if (left-- === 0) throw noMemory;
    return new RankKernels(1);
  };
  const opened = () => memories - left;
  return { own, messages, opened, home: new MatrixHome(own, { log, spareBytes: spare, workBytes, open }) };
}

it("places a matrix in the memory of the rank's own kernels", () => {
  const { home: one, own } = home();
  const [values, scales] = one.place(halfPage);
  expect([values, scales].map((data) => one.kernelsOf(data!))).toEqual([own, own]);
  expect([values!.length, scales!.length]).toEqual(halfPage.map(({ count }) => count));
  expect([values!.byteOffset % 64, scales!.byteOffset % 64]).toEqual([0, 0]);
});

it("leaves room for caches, and opens further memories with kernels; each matrix is in a single one", () => {
  const { home: one, own, messages } = home();
  const found = [halfPage, halfPage, halfPage, halfPage].map((weights) => {
    const [values, scales] = one.place(weights).map(one.kernelsOf);
    expect(values).toBe(scales);
    return values;
  });
  expect(found[0]).toBe(own);
  expect(found[1]).not.toBe(own);
  expect(found[2]).toBe(found[1]);
  expect(new Set(found).size).toBe(3);
  expect(found).not.toContain(undefined);
  expect(own!.memory.bytesFree).toBeGreaterThanOrEqual(spare);
  expect(messages).toEqual([]);
});

it("leaves room in further memories to put scales in order", () => {
  const { home: one } = home({ workBytes: halfPageBytes / 2 });
  const [, second, third] = [halfPage, halfPage, halfPage].map((weights) =>
    one.kernelsOf(one.place(weights)[0]!),
  );
  expect(third).not.toBe(second);
  for (const kernels of [second, third]) {
    expect(kernels!.memory.bytesFree).toBeGreaterThanOrEqual(halfPageBytes / 2);
  }
});

it("takes nothing from a memory with room for a matrix's values, but not for its scales", () => {
  const { home: one } = home();
  const [, second] = [halfPage, halfPage].map((weights) => one.kernelsOf(one.place(weights)[0]!));
  const tooLarge = matrix(2000);
  expect(one.kernelsOf(one.place(tooLarge)[0]!)).not.toBe(second);
  expect(one.kernelsOf(one.place(halfPage)[0]!)).toBe(second);
});

it("opens memories ahead of matrices, and then needs no more", () => {
  const { home: one, opened } = home();
  expect(one.reserve(5 * halfPageBytes)).toBeUndefined();
  expect(opened()).toBe(2);
  const found = Array.from({ length: 5 }, () => one.place(halfPage))
    .flat()
    .map(one.kernelsOf);
  expect(found).not.toContain(undefined);
  expect(opened()).toBe(2);
});

it("returns what prevents that", () => {
  const { home: one } = home({ memories: 1 });
  expect(one.reserve(5 * halfPageBytes)).toBe(noMemory);
  expect(one.reserve(3 * halfPageBytes)).toBeUndefined();
});

it("does so too if it is the rank's own kernels that are missing", () => {
  const open = () => {
    throw noMemory;
  };
  const one = MatrixHome.withKernels({ log: pino({ level: "silent" }), open });
  expect(one.own).toBeUndefined();
  expect(one.reserve(1)).toBe(noMemory);
});

it("places matrices in ordinary memory if there is no other, and logs that once", () => {
  const { home: one, messages } = home({ memories: 0 });
  one.place(halfPage);
  const placed = [halfPage, halfPage].flatMap((weights) => one.place(weights));
  expect(placed.map(one.kernelsOf)).toEqual([undefined, undefined, undefined, undefined]);
  expect(placed.map((data) => bytesOf(data).length)).toEqual(
    [...halfPage, ...halfPage].map(({ type, count }) => (type === "uint8" ? count : 4 * count)),
  );
  expect(messages).toEqual([
    "no more memory for kernels; what has no room is multiplied by plain code, or by sessions",
  ]);
});

it("places a matrix in ordinary memory if it is larger than any other memory", () => {
  const { home: one } = home();
  expect(one.place(matrix(pageBytes)).map(one.kernelsOf)).toEqual([undefined, undefined]);
  expect(one.kernelsOf(one.place(halfPage)[0]!)).toBeDefined();
});

it("opens no memory if the rank has no kernels", () => {
  const { home: one, messages } = home({ hasOwn: false, memories: 0 });
  expect(one.place(halfPage).map(one.kernelsOf)).toEqual([undefined, undefined]);
  expect(messages).toEqual([]);
});
