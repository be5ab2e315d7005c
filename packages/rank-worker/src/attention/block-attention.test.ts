import type { Table } from "../tensors/table.js";
import "../../../../test/support/optimized-kernels.js";
import { describe, expect, it } from "vitest";
import { kernelFiles, RankKernels } from "../kernels/rank-kernels.js";
import { TransientTensor } from "../kernels/transient-tensor.js";
import type { Feeds } from "../sessions/ort-binding.js";
import { openPublicSession } from "../sessions/public-session.js";
import { tensor } from "../tensors/tensor.js";
import {
  type AttentionCase,
  type AttentionInput,
  attentionGraph,
  attentionInputs,
  computeWhole,
} from "../testing/attention-reference.js";
import { plannedAttention } from "../testing/planned-attention.js";
import { BlockAttention } from "./block-attention.js";
import { BlockMasks } from "./block-masks.js";

const given = ["context", "presentKeys", "presentValues"];

/** A causal mask for every row. */
const causal =
  (past: number) =>
  (which: number, row: number, column: number): number =>
    which === 0 && column > past + row ? -3.4e38 : 0;

/** Rows are laid out by a kernel if there is room for them, else by plain code. */
const layouts: readonly [string, () => RankKernels | undefined][] = [
  ["plain code", () => undefined],
  ["the plain kernel", () => new RankKernels(64, [kernelFiles.plain])],
  ["the fused kernel", () => new RankKernels(64, [kernelFiles.fused])],
  ["the kernel, without room", withoutRoom],
  ["the kernel, with room for little", withLittleRoom],
];

describe.each(layouts)(
  "with %s, attention in blocks equals ONNX Runtime's attention of all rows,",
  (_, open) => {
    it.each<[string, AttentionCase]>([
      ["of one block", { batch: 1, rows: 7, heads: 2, group: 3, lanes: 8, past: 5, addends: [[1, 1, 7]] }],
      [
        "of three blocks, the last one shorter",
        { batch: 1, rows: 130, heads: 1, group: 2, lanes: 16, past: 40, addends: [[1, 1, 130]] },
      ],
      [
        "with an empty cache",
        { batch: 1, rows: 70, heads: 2, group: 1, lanes: 8, past: 0, addends: [[1, 1, 70]] },
      ],
      [
        "of several sequences with separate masks",
        { batch: 3, rows: 66, heads: 2, group: 2, lanes: 8, past: 9, addends: [[3, 1, 66]] },
      ],
      [
        "with a bias for each head",
        {
          batch: 2,
          rows: 68,
          heads: 3,
          group: 1,
          lanes: 8,
          past: 4,
          addends: [
            [2, 1, 68],
            [1, 3, 1],
          ],
          byHeads: true,
        },
      ],
      [
        "with projections split by heads",
        { batch: 2, rows: 5, heads: 2, group: 4, lanes: 8, past: 3, addends: [[2, 1, 5]], byHeads: true },
      ],
      [
        "with all lanes rotated",
        {
          batch: 2,
          rows: 9,
          heads: 2,
          group: 2,
          lanes: 16,
          past: 6,
          addends: [[2, 1, 9]],
          rotary: { lanes: 16, interleaved: false },
        },
      ],
      [
        "with some lanes rotated in neighbouring pairs",
        {
          batch: 1,
          rows: 9,
          heads: 2,
          group: 1,
          lanes: 20,
          past: 6,
          addends: [[1, 1, 9]],
          rotary: { lanes: 8, interleaved: true },
        },
      ],
      [
        "with heads that do not fill whole vectors",
        { batch: 2, rows: 9, heads: 3, group: 2, lanes: 7, past: 6, addends: [[2, 1, 9]] },
      ],
      [
        "with such heads, and some of their lanes rotated",
        {
          batch: 2,
          rows: 9,
          heads: 2,
          group: 1,
          lanes: 29,
          past: 6,
          addends: [[2, 1, 9]],
          rotary: { lanes: 26, interleaved: false },
        },
      ],
    ])("%s", async (_, options) => {
      await expectAlike(options, attentionInputs(options, causal(options.past)), open());
    });

    it("if a bias that grows with the distance leaves subnormal attention weights", async () => {
      const options: AttentionCase = {
        batch: 1,
        rows: 130,
        heads: 2,
        group: 1,
        lanes: 8,
        past: 40,
        addends: [
          [1, 1, 130],
          [1, 2, 130],
        ],
      };
      const slopes = [1, 0.5];
      const alibi = (which: number, row: number, column: number, head: number): number =>
        which === 0 ? causal(40)(which, row, column) : slopes[head]! * (column - 40 - row);
      await expectAlike(options, attentionInputs(options, alibi), open());
    });

    it.each([false, true])("if a key is NaN, with a bias for each head: %s", async (hasBias) => {
      const options: AttentionCase = {
        batch: 1,
        rows: 70,
        heads: 2,
        group: 1,
        lanes: 8,
        past: 3,
        addends: [[1, 1, 70], ...(hasBias ? [[1, 2, 1] as const] : [])],
      };
      const inputs = attentionInputs(options, causal(3));
      // In the first past row, which all queries see.
      inputs.pastKeys!.data[5] = Number.NaN;
      await expectAlike(options, inputs, open());
    });

    it("if a row sees nothing, and mixes all rows equally", async () => {
      const options: AttentionCase = {
        batch: 1,
        rows: 70,
        heads: 1,
        group: 1,
        lanes: 4,
        past: 3,
        addends: [[1, 1, 70]],
      };
      // The lowest float, as in masks of architectures.
      const lowest = -3.4028234663852886e38;
      const unseen = attentionInputs(options, (_, row, column) =>
        row === 2 || column > 3 + row ? lowest : 0,
      );
      await expectAlike(options, unseen, open());
    });
  },
);

it("a block is not fed the rows after it", async () => {
  const options: AttentionCase = {
    batch: 1,
    rows: 130,
    heads: 1,
    group: 1,
    lanes: 4,
    past: 2,
    addends: [[1, 1, 130]],
  };
  const { fed } = await inBlocks(options, attentionInputs(options, causal(2)));
  expect(fed.map(({ query, keys }) => [query!.dims[1], keys!.dims[1]])).toEqual([
    [64, 2 + 64],
    [64, 2 + 128],
    [2, 2 + 130],
  ]);
});

it("one new row is left to the other ways", async () => {
  const options: AttentionCase = {
    batch: 2,
    rows: 1,
    heads: 1,
    group: 1,
    lanes: 4,
    past: 2,
    addends: [[1, 1, 1]],
  };
  expect(
    (
      await inBlocks(
        options,
        attentionInputs(options, () => 0),
      )
    ).done,
  ).toBe(false);
});

async function expectAlike(
  options: AttentionCase,
  inputs: Readonly<Record<string, AttentionInput>>,
  kernels: RankKernels | undefined,
): Promise<void> {
  const expected = await computeWhole(attentionGraph(options), inputs);
  const { done, results } = await inBlocks(options, inputs, kernels);
  expect(done).toBe(true);
  // Sums of up to some hundred fp32 products, in another order.
  for (const name of given) expect(results[name]).toBeAllclose(expected[name]!, { rtol: 1e-5, atol: 2e-6 });
}

/** Like a rank, with a program for one rank: caches are in the kernels' memory, projections are not. */
async function inBlocks(
  options: AttentionCase,
  inputs: Readonly<Record<string, AttentionInput>>,
  kernels?: RankKernels,
): Promise<{ done: boolean; fed: Feeds[]; results: Record<string, Float32Array> }> {
  const { plan, block, named } = plannedAttention(options);
  const session = await openPublicSession(block.onnx, {});
  const fedIn = named(inputs);
  const places = [...fedIn.keys(), ...given];
  const caches = [plan.pastKeys, plan.pastValues];
  const table: Table = [...fedIn].map(([name, { data, dims }]) => {
    const near = caches.includes(name) ? kernels?.memory.floats(data.length) : undefined;
    near?.set(data);
    return tensor("float32", near ?? data, dims);
  });
  const free = kernels?.memory.bytesFree;
  const attention = new BlockAttention(plan, new BlockMasks(), (name) => places.indexOf(name), kernels);
  const fed: Feeds[] = [];
  const done = await attention.run(table, (feeds, into) => {
    fed.push(feeds);
    return session.run(feeds, into);
  });
  await session.release();
  const results = given.map((name) => [name, (table[places.indexOf(name)]?.data as Float32Array)?.slice()]);
  TransientTensor.releaseAll(table);
  expect(kernels?.memory.bytesFree).toBe(free);
  return { done, fed, results: Object.fromEntries(results) };
}

/** Takes pieces of 4 KiB, so that there is room for some of the laid out rows, but not for all. */
function withLittleRoom(): RankKernels {
  const kernels = new RankKernels(4, [kernelFiles.plain]);
  const pieces: Float32Array[] = [];
  for (let piece = kernels.memory.floats(1024); piece; piece = kernels.memory.floats(1024))
    pieces.push(piece);
  for (const [at, piece] of pieces.entries()) if (at % 2 === 0) kernels.memory.release(piece);
  return kernels;
}

function withoutRoom(): RankKernels {
  const kernels = new RankKernels(2, [kernelFiles.plain]);
  while (kernels.memory.floats(16) !== undefined);
  return kernels;
}
