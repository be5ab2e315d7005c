import { createGroup, runRanks } from "@ringrank/collectives";
import { afterAll, beforeAll, expect, it } from "vitest";
import { GroupMemory } from "../group/group-memory.js";
import { slotLength } from "../group/layout.js";
import { type CollectiveCase, RankTeam } from "../testing/rank-team.js";
import { reference } from "../testing/reference.js";

let team: RankTeam;
beforeAll(async () => {
  team = await RankTeam.start(2);
});
afterAll(() => team.stop());

/** Lengths around a vector, a line, a block of 64 lines, and a slot; the last one is too long for a slot. */
const lengths = [4, 16, 32, 64 * 16, slotLength].flatMap((length) => [length - 1, length, length + 1]);

it.each([[["simd", "simd"]], [["simd", "plain"]], [["plain", "simd"]]] as const)(
  "two ranks with %j kernels compute the documented bits, whatever the order of messages",
  async (kernels) => {
    // 31 and the number of cases are coprime, so each case occurs once, after a very different one.
    const cases = [0, ...lengths].flatMap((length) => [
      caseOf("sum", floats(length)),
      caseOf("max", floats(length)),
      caseOf("sum", ints(length)),
      caseOf("max", ints(length)),
    ]);
    const mixed = cases.map((_, i) => cases[(i * 31) % cases.length]!);
    const perform = await team.group("one-shot", {}, kernels);
    const results = await perform(...mixed);
    for (const [i, one] of mixed.entries()) {
      const expected = reference(one, "one-shot");
      for (const [rank, result] of results[i]!.entries()) {
        expect(Buffer.from(result.buffer).equals(Buffer.from(expected[rank]!.buffer))).toBe(true);
      }
    }
  },
);

it.each([
  ["does not fit into a slot, but into a window", 2 ** 20, slotLength + 100],
  ["does not fit into a window, but into a slot", 1024, 300],
])("leaves to windows a message that %s", async (_, windowBytes, length) => {
  const one = caseOf("sum", ints(length));
  const perform = await team.group("one-shot", { windowBytes });
  for (const result of await perform(one, one)) expect(result).toEqual(reference(one, "one-shot"));
});

it("computes the sum if one rank arrives after the kernel has given up looking, whichever it is", async () => {
  const group = createGroup({ worldSize: 2 });
  const { words, layout } = new GroupMemory(group);
  const [calls, length] = [6, 31];
  const task = new URL("../testing/late-peer.task.mjs", import.meta.url);
  const late = { group, words, sleepers: layout.gateSleepers, calls, length };
  const sums = Array.from({ length: calls }, (_, call) => Int32Array.from({ length }, (_, i) => call + i));
  expect(await runRanks(2, task, late)).toEqual([sums, sums]);
});

it("gives two ranks the same NaN, although a NaN has many forms", async () => {
  const forms = [0x7fc00000, 0xffc00000, 0x7fc01234];
  const inputs = [0, 1].map((rank) => {
    const bits = Int32Array.from({ length: 50 }, (_, i) => forms[(i + rank) % forms.length]!);
    return new Float32Array(bits.buffer);
  });
  const perform = await team.group("one-shot");
  for (const [one, other] of await perform(caseOf("sum", inputs), caseOf("max", inputs))) {
    expect(new Int32Array(one!.buffer)).toEqual(new Int32Array(other!.buffer));
    expect(one!.every(Number.isNaN)).toBe(true);
  }
});

function caseOf(operation: "sum" | "max", inputs: CollectiveCase["inputs"]): CollectiveCase {
  return { collective: "allReduce", operation, inputs };
}

/** Integers whose sums overflow. */
function ints(length: number): Int32Array[] {
  return [1, 2].map((rank) => Int32Array.from({ length }, (_, i) => Math.imul(i + rank, 0x9e3779b1)));
}

/** Floats of many magnitudes. */
function floats(length: number): Float32Array[] {
  return ints(length).map((row) => Float32Array.from(row, (value, i) => value / 2 ** (i % 30)));
}
