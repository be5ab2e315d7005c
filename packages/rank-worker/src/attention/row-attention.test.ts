import "../../../../test/support/optimized-kernels.js";
import { describe, expect, it } from "vitest";
import { lineBytes, wholeLines } from "../kernels/cache-line.js";
import { kernelFiles, RankKernels } from "../kernels/rank-kernels.js";
import { type Tensor, tensor } from "../tensors/tensor.js";
import {
  type AttentionCase,
  type AttentionInput,
  attentionGraph,
  attentionInputs,
  computeWhole,
} from "../testing/attention-reference.js";
import { plannedAttention } from "../testing/planned-attention.js";
import { AttentionKernel } from "./attention-kernel.js";

const given = ["context", "presentKeys", "presentValues"];

/** What is added to a score that is left out. */
const hidden = -3.4e38;

type Case = Omit<AttentionCase, "rows">;

/** Past keys of up to four queries: eight streams of 14 each, four of one, and three that are left. */
const inAllStreams = 119;

/** 130 past keys: four streams of 32, of which a tile has eight each, and two that are left. */
const ofEight: Case = { batch: 1, heads: 2, group: 8, lanes: 16, past: 130 };

const tileOf = (key: number): number => Math.floor((key % 32) / 8);

describe.each(["plain", "fused"] as const)(
  "attention of one row by the %s kernel is what ONNX Runtime computes",
  (build) => {
    it.each<[string, Case]>([
      ["with a head for each query", { batch: 1, heads: 3, group: 1, lanes: 64, past: inAllStreams }],
      ["with two queries to a head", { batch: 1, heads: 2, group: 2, lanes: 32, past: inAllStreams }],
      ["with three queries to a head", { batch: 1, heads: 2, group: 3, lanes: 20, past: inAllStreams }],
      ["with four queries to a head", { batch: 1, heads: 2, group: 4, lanes: 32, past: inAllStreams }],
      ["with groups of eight", { batch: 1, heads: 2, group: 8, lanes: 64, past: 128 }],
      ["with groups of eight behind few keys", { batch: 2, heads: 2, group: 8, lanes: 12, past: 3 }],
      [
        "with groups of eight, and a tile that is not whole",
        { batch: 1, heads: 2, group: 8, lanes: 20, past: 118 },
      ],
      ["with groups of eight behind some pages", { batch: 2, heads: 2, group: 8, lanes: 64, past: 1030 }],
      [
        "with a head for each query behind some pages",
        { batch: 2, heads: 2, group: 1, lanes: 64, past: 160 },
      ],
      [
        "with four queries to a head behind some pages",
        { batch: 2, heads: 2, group: 4, lanes: 64, past: 160 },
      ],
      ["with groups of eleven", { batch: 1, heads: 1, group: 11, lanes: 20, past: 70 }],
      ["with groups of seven", { batch: 1, heads: 1, group: 7, lanes: 40, past: 33 }],
      [
        "with groups of six, a mask and a bias for each head",
        {
          batch: 2,
          heads: 2,
          group: 6,
          lanes: 8,
          past: 70,
          addends: [
            [2, 1, 1],
            [1, 12, 1],
          ],
        },
      ],
      ["with nothing kept yet", { batch: 2, heads: 2, group: 5, lanes: 12, past: 0 }],
      [
        "with all lanes turned",
        { batch: 2, heads: 2, group: 2, lanes: 16, past: 9, rotary: { lanes: 16, interleaved: false } },
      ],
      [
        "with some lanes turned in neighbouring pairs",
        { batch: 2, heads: 2, group: 1, lanes: 20, past: 6, rotary: { lanes: 8, interleaved: true } },
      ],
      [
        "with a mask for each sequence and a bias for each head",
        {
          batch: 3,
          heads: 2,
          group: 3,
          lanes: 8,
          past: 21,
          addends: [
            [3, 1, 1],
            [1, 6, 1],
          ],
        },
      ],
      ["with projections cut by heads", { batch: 2, heads: 3, group: 2, lanes: 8, past: 5, byHeads: true }],
    ])("%s", async (_, options) => {
      // Every third key of the first is not seen.
      await expectAlike(options, build, (which, _row, key) => (which === 0 && key % 3 === 1 ? hidden : 0));
    });

    it.each<[string, masks: 1 | 16, (key: number, head: number) => boolean]>([
      ["the first keys", 1, (key) => key < 37],
      ["the last keys but the new one", 1, (key) => key >= 61 && key < 130],
      ["all but some in the middle and the new one", 1, (key) => key < 50 || (key >= 53 && key < 130)],
      ["all but the new key", 1, (key) => key < 130],
      ["the new key", 1, (key) => key === 130],
      ["a tile of each stream", 1, (key) => tileOf(key) === 2],
      ["one stream", 1, (key) => key >= 32 && key < 64],
      ["a tile from the first queries of a group", 16, (key, head) => head % 8 < 5 && tileOf(key) === 1],
      ["a tile from the last queries of a group", 16, (key, head) => head % 8 >= 3 && tileOf(key) === 1],
      ["each tile from some queries of a group", 16, (key, head) => head % 4 === tileOf(key)],
      ["each stream from some queries of a group", 16, (key, head) => head % 5 === Math.floor(key / 32)],
      ["all keys from one query, and a tile from all", 16, (key, head) => head === 5 || tileOf(key) === 0],
    ])("where a mask hides %s", async (_, masks, hides) => {
      const options: Case = { ...ofEight, addends: [[1, masks, 1]] };
      await expectAlike(options, build, (_which, _row, key, head) => (hides(key, head) ? hidden : 0));
    });

    it.each([1, 2, 3, 8])(
      "where sequences begin and end at different rows, with %i queries",
      async (group) => {
        const options: Case = { batch: 2, heads: 2, group, lanes: 32, past: 200, addends: [[2, 1, 1]] };
        const isSeen = [(key: number) => key < 100 || key === 200, (key: number) => key >= 70];
        await expectAlike(options, build, (_which, _row, key, _head, sequence) =>
          isSeen[sequence]!(key) ? 0 : hidden,
        );
      },
    );

    it.each([1, 3])("where a bias for each head and a mask hide keys from %i queries", async (group) => {
      const addends: Case["addends"] = [
        [1, 2 * group, 1],
        [1, 1, 1],
      ];
      const options: Case = { batch: 1, heads: 2, group, lanes: 8, past: 200, addends };
      await expectAlike(options, build, (which, _row, key, head) =>
        which === 0 ? (key - 200) / 2 ** (head + 1) : key >= 90 && key < 200 ? hidden : 0,
      );
    });

    it.each([3, 8])("where a mask hides all from %i queries of a group", async (group) => {
      const options: Case = { batch: 1, heads: 1, group, lanes: 8, past: 70, addends: [[1, 1, 1]] };
      await expectAlike(options, build, () => hidden);
    });

    // The lowest float, as architectures have it: what fills up a vector of scores is as large.
    it.each([1, 2, 3, 8])("where a mask of the lowest float hides all from %i queries", async (group) => {
      const options: Case = { batch: 1, heads: 1, group, lanes: 8, past: 70, addends: [[1, 1, 1]] };
      await expectAlike(options, build, () => -3.4028234663852886e38);
    });

    // Over 300 keys, e⁻²¹⁰ is left of a share.
    it.each([
      [3, "last", 0.7],
      [3, "first", -0.7],
      [8, "last", 0.7],
      [8, "first", -0.7],
    ])("where %i queries see little but the %s keys", async (group, _, slope) => {
      const options: Case = { batch: 1, heads: 2, group, lanes: 8, past: 300, addends: [[1, 1, 1]] };
      await expectAlike(options, build, (_which, _row, key) => slope * (key - (slope > 0 ? 300 : 0)));
    });

    it.each([1, 2, 3, 8])("a key that is NaN, in any bits, hides from none of %i queries", (group) => {
      const options: AttentionCase = { batch: 1, rows: 1, heads: 1, group, lanes: 8, past: 70 };
      // JavaScript's, the other sign's, CUDA's, and one of few bits.
      for (const bits of [0x7fc00000, 0xffc00000, 0x7fffffff, 0x7f800001]) {
        const inputs = attentionInputs(options, () => 0);
        new Uint32Array(inputs.pastKeys!.data.buffer)[13 * 8] = bits;
        expect(byKernel(options, inputs, build)!.context!.every(Number.isNaN)).toBe(true);
      }
    });

    it("leaves two new rows of a sequence to a session", () => {
      const options: AttentionCase = { batch: 1, rows: 2, heads: 1, group: 1, lanes: 4, past: 3 };
      const inputs = attentionInputs(options, () => 0);
      expect(byKernel(options, inputs, build)).toBeUndefined();
    });
  },
);

describe("the kernel", () => {
  it("is not for heads that are no whole vectors", () => {
    const kernel = new AttentionKernel(new RankKernels(64), 1);
    const { plan } = plannedAttention({ batch: 1, rows: 1, heads: 1, group: 1, lanes: 6, past: 3 });
    expect(kernel.rowAttention(plan, () => 0)).toBeUndefined();
  });

  it("gives back what it gave another number of sequences", () => {
    const kernels = new RankKernels(64);
    const options = { batch: 1, rows: 1, heads: 1, group: 1, lanes: 8, past: 3 };
    const { plan, named } = plannedAttention(options);
    const inputs = [1, 2].map((batch) => named(attentionInputs({ ...options, batch }, () => 0)));
    const places = [...inputs[0]!.keys(), ...given];
    const attention = new AttentionKernel(kernels, 1).rowAttention(plan, (name) => places.indexOf(name))!;
    const tables = inputs.map((fed) =>
      Array.from(fed.values(), ({ data, dims }): Tensor | undefined => {
        const near = kernels.memory.floats(data.length)!;
        near.set(data);
        return tensor("float32", near, dims);
      }),
    );
    const free = [...tables, ...tables].map((table) => {
      expect(attention.run([...table])).toBe(true);
      return kernels.memory.bytesFree;
    });
    expect(free.slice(2)).toEqual(free.slice(0, 2));
  });
});

async function expectAlike(
  of: Case,
  build: keyof typeof kernelFiles,
  addend: Parameters<typeof attentionInputs>[1],
): Promise<void> {
  const options: AttentionCase = { ...of, rows: 1 };
  const inputs = attentionInputs(options, addend);
  const expected = await computeWhole(attentionGraph(options), inputs);
  const computed = byKernel(options, inputs, build)!;
  // Sums of up to some hundred fp32 products, in another order.
  for (const name of given) expect(computed[name]).toBeAllclose(expected[name]!, { rtol: 1e-5, atol: 2e-6 });
}

/**
 * As a rank does, by what a program for one rank says; undefined where the kernel leaves it to a session. The cache
 * lies at the end of the memory, behind which a kernel may not read ahead.
 */
function byKernel(
  options: AttentionCase,
  inputs: Readonly<Record<string, AttentionInput>>,
  build: keyof typeof kernelFiles,
): Record<string, Float32Array> | undefined {
  const bytesTaken = ({ byteLength }: Float32Array) => Math.max(lineBytes, wholeLines(byteLength));
  const kernel = new AttentionKernel(new RankKernels(1024, [kernelFiles[build]]), 1);
  const { plan, named } = plannedAttention(options);
  const fedIn = named(inputs);
  const ofCache = [plan.pastKeys, plan.pastValues].map((name) => bytesTaken(fedIn.get(name)!.data));
  const before = kernel.memory.bytes(kernel.memory.bytesFree - ofCache[0]! - ofCache[1]!)!;
  const places = [...fedIn.keys(), ...given];
  const table: (Tensor | undefined)[] = [...fedIn].map(([name, { data, dims }]) => {
    if (name !== plan.pastKeys && name !== plan.pastValues) return tensor("float32", data, dims);
    const cached = kernel.memory.floats(data.length)!;
    cached.set(data);
    return tensor("float32", cached, dims);
  });
  kernel.memory.release(before);
  const attention = kernel.rowAttention(plan, (name) => places.indexOf(name))!;
  if (!attention.run(table)) return undefined;
  const results = given.map((name) => [name, table[places.indexOf(name)]!.data as Float32Array]);
  return Object.fromEntries(results);
}
