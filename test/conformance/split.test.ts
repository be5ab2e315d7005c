import { buildGraph, openCheckpoint, renameValues, reorderNodes } from "@ringrank/model";
import { ShardReader } from "@ringrank/model/weights";
import { buildPrograms, type PartitionPolicy, planGraph } from "@ringrank/policy";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  modelTolerance,
  readGolden,
  zooDirectory,
  zooNames,
} from "../../packages/model/src/testing/fixtures.js";
import { EmulatedGroup } from "../support/emulation/emulated-group.js";
import { evenShare } from "../support/even-share.js";
import { firstStep } from "../support/first-step.js";
import { memoized } from "../support/memoized.js";

/** Attention and feed-forward in parallel on one residual: their sums are reduced together. */
const parallelResiduals: ReadonlySet<string> = new Set([
  "codegen",
  "cohere",
  "cohere2",
  "command-r-plus-like",
  "falcon-40b-like",
  "falcon-7b-like",
  "gpt-neox",
  "gptj",
  "phi",
  "stablelm-12b-like",
]);

/** Layers with one sublayer. */
const sublayersAlone: ReadonlySet<string> = new Set(["mamba2", "nemotron-h"]);

/** Layers that normalize something over all heads at once: each also reduces a small sum of squares. */
const normsOverHeads: ReadonlyMap<string, number> = new Map([
  ["bamba", 1],
  ["granite4-hybrid", 1],
  ["mamba2", 2],
  ["minimax-m2", 2],
  ["olmo2", 2],
  ["olmo3", 2],
]);

/**
 * Several heads share the vectors with which their states are written and read, and ranks with any of these heads hold
 * the vectors whole.
 */
const sharedByHeads: ReadonlySet<string> = new Set(["falcon-h1", "mamba2", "nemotron-h"]);

/** Latents are normalized whole, so every rank keeps both projections onto them: 7% of these tiny models. */
const latents: ReadonlySet<string> = new Set([
  "deepseek-v2",
  "deepseek-v3",
  "glm4-moe-lite",
  "minicpm3",
  "youtu",
]);

/**
 * Attention with latents, sinks or capped scores, and convolutions in its place, are not separate steps, but are
 * computed in the segment that computes their keys or rows.
 */
const attentionInSegments: ReadonlySet<string> = new Set([...latents, "gemma2", "gpt-oss", "lfm2-moe"]);

/** Experts that are normalized separately from the feed-forward beside them: each of the two is reduced. */
const normedApart: ReadonlySet<string> = new Set(["gemma4-moe"]);

/** As with latents: the per-token input that each layer reads besides the residual stream is normalized whole. */
const wholeInputs: ReadonlySet<string> = new Set(["gemma4"]);

/**
 * Two layers, except for models in which two more share their keys and values, or with a layer of each of four kinds.
 */
const layersOf = (name: string): number => (name === "gemma4" || name === "nemotron-h" ? 4 : 2);

describe.each(zooNames("causal"))("%s, split by its dataflow", (name) => {
  const { graph } = buildGraph(openCheckpoint(zooDirectory(name)));
  const golden = readGolden(name);
  const reader = new ShardReader();
  const policyFor = memoized((ranks: number) => planGraph(graph, { ranks }));
  afterAll(() => reader[Symbol.dispose]());

  describe.each([2, 3, 4])("on %i ranks", (ranks) => {
    const programs = buildPrograms(graph, policyFor(ranks));
    const step = firstStep(graph, golden.inputIds);
    let group: EmulatedGroup;
    let whole: Awaited<ReturnType<EmulatedGroup["run"]>>;
    beforeAll(async () => {
      group = await EmulatedGroup.open(programs, (shard) => reader.read(shard));
      whole = await group.run("forward", step);
    });
    afterAll(() => group.close());

    it("computes transformers' logits", () => {
      const { logits } = whole;
      expect(logits!.dims).toEqual([24, golden.vocabulary]);
      expect(logits!.data as Float32Array).toBeAllclose(golden.logits, modelTolerance(golden.logits));
    });

    it("computes the same cache rows if only those are requested, without the last layer's sums", async () => {
      const { logits, ...caches } = whole;
      expect(await group.run("forward", step, "caches")).toEqual(caches);
      const { steps, cacheSteps } = programs[0]!.entries.forward!;
      const leftOut = steps.slice(cacheSteps).filter(({ kind }) => kind === "allReduce");
      // There may be another, of a projection after all layers.
      const sums = sumsOfLayer(name) - (attentionInSegments.has(name) ? 1 : 0);
      expect(leftOut.length).toBeGreaterThanOrEqual(sums);
    });
  });

  it.each([2, 4])("keeps on each of %i ranks little more than its share of every matrix", (ranks) => {
    const policy = policyFor(ranks);
    const most = [latents, wholeInputs, sharedByHeads].some((names) => names.has(name)) ? 1.16 : 1.1;
    expect(Math.max(...policy.bytesPerRank)).toBeLessThanOrEqual(most * evenShare(policy));
  });

  it("is placed the same under other names and in another order", () => {
    const renamed = (value: string): string => `renamed ${value}`;
    const shuffled = reorderNodes(renameValues(graph, renamed), (candidates) => candidates - 1);
    const [before, after] = [policyFor(3), planGraph(shuffled, { ranks: 3 })];
    const placements = ({ weights }: PartitionPolicy, rename: (weight: string) => string) =>
      Object.fromEntries(
        Object.entries(weights).map(([weight, { placement, axis, bytesPerRank }]) => [
          rename(weight),
          { placement, axis, bytesPerRank },
        ]),
      );
    expect(placements(after, (weight) => weight)).toEqual(placements(before, renamed));
    expect(after.predicted).toEqual(before.predicted);
  });

  it("reduces once for the embedding, and once or twice for each layer", () => {
    const sums = layersOf(name) * sumsOfLayer(name) + (normsOverHeads.get(name) ?? 0);
    expect(policyFor(2).collectives).toHaveLength(1 + sums);
  });
});

/** The number of all-reduces for the output of a layer's attention and feed-forward. */
function sumsOfLayer(name: string): number {
  if (normedApart.has(name)) return 3;
  return parallelResiduals.has(name) || sublayersAlone.has(name) ? 1 : 2;
}
