import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createGroup } from "../group/group.js";
import { joinGroup } from "../group/join-group.js";
import { allocateSharedMemory } from "../group/shared-memory.js";
import { plainKernels } from "../kernels/plain-kernels.js";
import { RankTeam } from "../testing/rank-team.js";
import { reference } from "../testing/reference.js";

const worldSize = 3;
const operands = (length: number) =>
  Array.from({ length: worldSize }, (_, rank) =>
    Float32Array.from({ length }, (_, i) => Math.sin(rank + i * 0.7) * 2 ** (i % 7)),
  );

describe.each(["float16", "int8"] as const)("sums that cross in %s", (wire) => {
  let team: RankTeam;
  beforeAll(async () => {
    team = await RankTeam.start(worldSize);
  });
  afterAll(() => team.stop());

  // One window and several, in whole blocks of int8 and not.
  it.each([0, 1, 70, 1000])(
    "are of operands rounded once, the same bits on every rank, of %i elements",
    async (length) => {
      const inputs = operands(length);
      const perform = await team.group("auto", { wire, windowBytes: 256 });
      const [sums] = await perform({ collective: "allReduce", operation: "sum", inputs });
      const rounded = inputs.map((input) => inWindows(input, wire));
      const expected = reference({ collective: "allReduce", operation: "sum", inputs: rounded }, "one-shot");
      expect(sums).toEqual(expected);
    },
  );

  it("leave maxima and whole numbers exact", async () => {
    const perform = await team.group("auto", { wire });
    const floats = operands(50);
    const ints = floats.map((row) => Int32Array.from(row, (x) => x * 1e6));
    for (const one of [
      { collective: "allReduce", operation: "max", inputs: floats },
      { collective: "allReduce", operation: "sum", inputs: ints },
    ] as const) {
      const [result] = await perform(one);
      expect(result).toEqual(reference(one, "one-shot"));
    }
  });
});

it("a ring is refused where sums are rounded", () => {
  const group = createGroup({ worldSize: 2, wire: "float16" });
  expect(() => joinGroup(group, 0, { algorithm: "ring" })).toThrow(
    expect.objectContaining({ code: "RR_OPTION" }),
  );
});

/** There and back by the plain kernels, a window of 256 bytes at a time. */
function inWindows(values: Float32Array, wire: "float16" | "int8"): Float32Array {
  const memory = allocateSharedMemory(65_536);
  const floats = new Float32Array(memory.buffer);
  const { encode, decode } = plainKernels(memory).wires[wire];
  const rounded = new Float32Array(values.length);
  for (let start = 0; start < values.length; start += 64) {
    const part = values.subarray(start, start + 64);
    floats.set(part, 0);
    encode(1024, 0, part.length);
    decode(2048, 1024, part.length);
    rounded.set(floats.subarray(2048, 2048 + part.length), start);
  }
  return rounded;
}
