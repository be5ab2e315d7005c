import { sharedMemory } from "@ringrank/webassembly";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createGroup } from "../group/group.js";
import { joinGroup } from "../group/join-group.js";
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

  // One window and several, of which the last one consists of whole int8 blocks or not.
  it.each([0, 1, 70, 1000])(
    "round each operand once, and have the same bits on every rank, for %i elements",
    async (length) => {
      const inputs = operands(length);
      const perform = await team.group("auto", { wire, windowBytes: 256 });
      const [sums] = await perform({ collective: "allReduce", operation: "sum", inputs });
      const rounded = inputs.map((input) => thereAndBack(input, wire));
      const expected = reference({ collective: "allReduce", operation: "sum", inputs: rounded }, "one-shot");
      expect(sums).toEqual(expected);
    },
  );

  it("have the same bits for any size of windows, even if windows do not end with a block", async () => {
    const call = { collective: "allReduce", operation: "sum", inputs: operands(1000) } as const;
    // 80 elements: two int8 blocks and half of a third.
    const small = await (await team.group("auto", { wire, windowBytes: 320 }))(call);
    const whole = await (await team.group("auto", { wire }))(call);
    expect(small).toEqual(whole);
  });

  it("cross as they are in a call that asks for it", async () => {
    const perform = await team.group("auto", { wire });
    const call = { collective: "allReduce", operation: "sum", inputs: operands(70) } as const;
    const [exact] = await perform({ ...call, wire: "float32" });
    expect(exact).toEqual(reference(call, "one-shot"));
    const [rounded] = await perform(call);
    expect(rounded).not.toEqual(exact);
  });

  it("keep maxima and integers exact", async () => {
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

it.each(["ring", "two-shot"] as const)("refuse %s, which would round twice", (algorithm) => {
  const group = createGroup({ worldSize: 2, wire: "float16" });
  expect(() => joinGroup(group, 0, { algorithm })).toThrow(expect.objectContaining({ code: "RR_OPTION" }));
});

/** Rounded by the plain kernels, at most 1024 elements at once. */
function thereAndBack(values: Float32Array, wire: "float16" | "int8"): Float32Array {
  const memory = sharedMemory(65_536);
  const floats = new Float32Array(memory.buffer);
  const { encode, decode } = plainKernels(memory).wires[wire];
  floats.set(values, 0);
  encode(1024, 0, values.length);
  decode(2048, 1024, values.length);
  return floats.slice(2048, 2048 + values.length);
}
