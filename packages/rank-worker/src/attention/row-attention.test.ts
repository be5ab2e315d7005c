import type { Table } from "../tensors/table.js";
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

/** Added to a score that is masked. */
const hidden = -3.4e38;

type Case = Omit<AttentionCase, "rows">;

interface Kernel {
  readonly build: keyof typeof kernelFiles;
  readonly isWide: boolean;
}

/** Past keys for up to four queries: eight streams of 14 each, four streams of 1, and three remaining keys. */
const inAllStreams = 119;

/** 258 past keys: four streams of 64, of which a tile has 16 each, and two remaining keys. */
const ofEight: Case = { batch: 1, heads: 2, group: 8, lanes: 16, past: 258 };

const tileOf = (key: number): number => Math.floor((key % 64) / 16);

describe.each<Kernel>([
  { build: "plain", isWide: false },
  { build: "plain", isWide: true },
  { build: "fused", isWide: false },
  { build: "fused", isWide: true },
])("attention of one row by the $build kernel equals ONNX Runtime's (wide: $isWide),", (kernel) => {
  it.each<[string, Case]>([
    ["with one query per key head", { batch: 1, heads: 3, group: 1, lanes: 64, past: inAllStreams }],
    ["with two queries per key head", { batch: 1, heads: 2, group: 2, lanes: 32, past: inAllStreams }],
    ["with three queries per key head", { batch: 1, heads: 2, group: 3, lanes: 20, past: inAllStreams }],
    ["with four queries per key head", { batch: 1, heads: 2, group: 4, lanes: 32, past: inAllStreams }],
    ["with groups of eight", { batch: 1, heads: 2, group: 8, lanes: 64, past: 128 }],
    ["with groups of eight after few keys", { batch: 2, heads: 2, group: 8, lanes: 12, past: 3 }],
    ["with groups of eight, and a partial tile", { batch: 1, heads: 2, group: 8, lanes: 20, past: 118 }],
    ["with groups of eight after several pages", { batch: 2, heads: 2, group: 8, lanes: 64, past: 1030 }],
    // Four streams of 64 keys, or of 64 of half a page, then four of 11, and the last key.
    ["with groups of eight, whose streams are pages", { batch: 1, heads: 2, group: 8, lanes: 64, past: 301 }],
    ["with groups of eight of uneven rows", { batch: 1, heads: 2, group: 8, lanes: 80, past: 301 }],
    [
      "with one query per key head after several pages",
      { batch: 2, heads: 2, group: 1, lanes: 64, past: 160 },
    ],
    [
      "with four queries per key head after several pages",
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
    ["with an empty cache", { batch: 2, heads: 2, group: 5, lanes: 12, past: 0 }],
    [
      "with all lanes rotated",
      { batch: 2, heads: 2, group: 2, lanes: 16, past: 9, rotary: { lanes: 16, interleaved: false } },
    ],
    [
      "with some lanes rotated in neighbouring pairs",
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
    ["with projections split by heads", { batch: 2, heads: 3, group: 2, lanes: 8, past: 5, byHeads: true }],
  ])("%s", async (_, options) => {
    // The first mask hides every third key.
    await expectAlike(options, kernel, (which, _row, key) => (which === 0 && key % 3 === 1 ? hidden : 0));
  });

  it.each<[string, masks: 1 | 16, (key: number, head: number) => boolean]>([
    ["the first keys", 1, (key) => key < 37],
    ["the last keys except the new one", 1, (key) => key >= 61 && key < 258],
    ["all except some in the middle and the new one", 1, (key) => key < 50 || (key >= 53 && key < 258)],
    ["all except the new key", 1, (key) => key < 258],
    ["the new key", 1, (key) => key === 258],
    ["a tile of each stream", 1, (key) => tileOf(key) === 2],
    ["one stream", 1, (key) => key >= 64 && key < 128],
    ["a tile for the first queries of a group", 16, (key, head) => head % 8 < 5 && tileOf(key) === 1],
    ["a tile for the last queries of a group", 16, (key, head) => head % 8 >= 3 && tileOf(key) === 1],
    ["each tile for some queries of a group", 16, (key, head) => head % 4 === tileOf(key)],
    ["each stream for some queries of a group", 16, (key, head) => head % 5 === Math.floor(key / 64)],
    ["all keys for one query, and a tile for all", 16, (key, head) => head === 5 || tileOf(key) === 0],
  ])("if a mask hides %s", async (_, masks, hides) => {
    const options: Case = { ...ofEight, addends: [[1, masks, 1]] };
    await expectAlike(options, kernel, (_which, _row, key, head) => (hides(key, head) ? hidden : 0));
  });

  it.each([1, 2, 3, 8])("if sequences begin and end at different rows, with %i queries", async (group) => {
    const options: Case = { batch: 2, heads: 2, group, lanes: 32, past: 200, addends: [[2, 1, 1]] };
    const isSeen = [(key: number) => key < 100 || key === 200, (key: number) => key >= 70];
    await expectAlike(options, kernel, (_which, _row, key, _head, sequence) =>
      isSeen[sequence]!(key) ? 0 : hidden,
    );
  });

  it.each([1, 3])("if a bias for each head and a mask hide keys from %i queries", async (group) => {
    const addends: Case["addends"] = [
      [1, 2 * group, 1],
      [1, 1, 1],
    ];
    const options: Case = { batch: 1, heads: 2, group, lanes: 8, past: 200, addends };
    await expectAlike(options, kernel, (which, _row, key, head) =>
      which === 0 ? (key - 200) / 2 ** (head + 1) : key >= 90 && key < 200 ? hidden : 0,
    );
  });

  it.each([3, 8])("if a mask hides all keys from %i queries of a group", async (group) => {
    const options: Case = { batch: 1, heads: 1, group, lanes: 8, past: 70, addends: [[1, 1, 1]] };
    await expectAlike(options, kernel, () => hidden);
  });

  // The lowest float, as in masks of architectures; padding in vectors of scores has the same value.
  it.each([1, 2, 3, 8])("if a mask of the lowest float hides all keys from %i queries", async (group) => {
    const options: Case = { batch: 1, heads: 1, group, lanes: 8, past: 70, addends: [[1, 1, 1]] };
    await expectAlike(options, kernel, () => -3.4028234663852886e38);
  });

  // Over 300 keys, an attention weight decreases to e⁻²¹⁰.
  it.each([
    [3, "last", 0.7],
    [3, "first", -0.7],
    [8, "last", 0.7],
    [8, "first", -0.7],
  ])("if %i queries see hardly more than the %s keys", async (group, _, slope) => {
    const options: Case = { batch: 1, heads: 2, group, lanes: 8, past: 300, addends: [[1, 1, 1]] };
    await expectAlike(options, kernel, (_which, _row, key) => slope * (key - (slope > 0 ? 300 : 0)));
  });

  it.each([1, 2, 3, 8])("makes all of %i queries NaN for a key that is NaN, with any bits", (group) => {
    const options: AttentionCase = { batch: 1, rows: 1, heads: 1, group, lanes: 8, past: 70 };
    // NaN as in JavaScript, with the other sign, as in CUDA, and with few bits.
    for (const bits of [0x7fc00000, 0xffc00000, 0x7fffffff, 0x7f800001]) {
      const inputs = attentionInputs(options, () => 0);
      new Uint32Array(inputs.pastKeys!.data.buffer)[13 * 8] = bits;
      expect(byKernel(options, inputs, kernel)!.context!.every(Number.isNaN)).toBe(true);
    }
  });

  it("leaves two new rows of a sequence to a session", () => {
    const options: AttentionCase = { batch: 1, rows: 2, heads: 1, group: 1, lanes: 4, past: 3 };
    const inputs = attentionInputs(options, () => 0);
    expect(byKernel(options, inputs, kernel)).toBeUndefined();
  });
});

describe("the kernel", () => {
  it("does not support heads that do not fill whole vectors", () => {
    const kernel = new AttentionKernel(new RankKernels(64), 1);
    const { plan } = plannedAttention({ batch: 1, rows: 1, heads: 1, group: 1, lanes: 6, past: 3 });
    expect(kernel.rowAttention(plan, () => 0)).toBeUndefined();
  });

  it("releases its results for another number of sequences", () => {
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
  kernel: Kernel,
  addend: Parameters<typeof attentionInputs>[1],
): Promise<void> {
  const options: AttentionCase = { ...of, rows: 1 };
  const inputs = attentionInputs(options, addend);
  const expected = await computeWhole(attentionGraph(options), inputs);
  const computed = byKernel(options, inputs, kernel)!;
  // Sums of up to some hundred fp32 products, in another order.
  for (const name of given) expect(computed[name]).toBeAllclose(expected[name]!, { rtol: 1e-5, atol: 2e-6 });
}

/**
 * Like a rank, with a program for one rank; undefined if the kernel leaves it to a session. The cache is at the end of
 * the memory, beyond which a kernel must not read ahead.
 */
function byKernel(
  options: AttentionCase,
  inputs: Readonly<Record<string, AttentionInput>>,
  { build, isWide }: Kernel,
): Record<string, Float32Array> | undefined {
  const bytesTaken = ({ byteLength }: Float32Array) => Math.max(lineBytes, wholeLines(byteLength));
  const kernel = new AttentionKernel(new RankKernels(1024, [kernelFiles[build]]), 1, isWide);
  const { plan, named } = plannedAttention(options);
  const fedIn = named(inputs);
  const ofCache = [plan.pastKeys, plan.pastValues].map((name) => bytesTaken(fedIn.get(name)!.data));
  const before = kernel.memory.bytes(kernel.memory.bytesFree - ofCache[0]! - ofCache[1]!)!;
  const places = [...fedIn.keys(), ...given];
  const table: Table = [...fedIn].map(([name, { data, dims }]) => {
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
