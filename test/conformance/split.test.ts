import { buildGraph, openCheckpoint, renameValues, reorderNodes } from "@ringrank/model";
import { ShardReader } from "@ringrank/model/weights";
import { buildPrograms, type PartitionPolicy, planGraph } from "@ringrank/policy";
import { afterAll, describe, expect, it } from "vitest";
import {
  modelTolerance,
  readGolden,
  zooDirectory,
  zooNames,
} from "../../packages/model/src/testing/fixtures.js";
import { EmulatedGroup } from "../support/emulate.js";
import { firstStep } from "../support/first-step.js";

/** Attention and feed-forward side by side on one residual: what they owe is paid together. */
const parallelResiduals: ReadonlySet<string> = new Set([
  "codegen",
  "cohere",
  "cohere2",
  "falcon-40b-like",
  "falcon-7b-like",
  "gpt-neox",
  "gptj",
  "phi",
]);

/** Queries and keys normed over all heads at once: each layer pays for a small sum of squares besides. */
const normsOverHeads: ReadonlySet<string> = new Set(["olmo2"]);

/** Latents are normed whole, so every rank keeps all of the two projections onto them: 7% of these tiny models. */
const latents: ReadonlySet<string> = new Set(["deepseek-v2", "deepseek-v3"]);

const layers = 2;

describe.each(zooNames("causal"))("%s, split by its dataflow", (name) => {
  const { graph } = buildGraph(openCheckpoint(zooDirectory(name)));
  const golden = readGolden(name);
  const reader = new ShardReader();
  afterAll(() => reader[Symbol.dispose]());

  it.each([2, 3, 4])("gives transformers' logits on %i ranks", async (ranks) => {
    const programs = buildPrograms(graph, planGraph(graph, { ranks }));
    const group = await EmulatedGroup.open(programs, (shard) => reader.read(shard));
    const { logits } = await group.run("forward", firstStep(graph, golden.inputIds));
    await group.close();
    expect(logits!.dims).toEqual([24, golden.vocabulary]);
    expect(logits!.data as Float32Array).toBeAllclose(golden.logits, modelTolerance(golden.logits));
  });

  it.each([2, 4])("keeps on each of %i ranks little more than its share of every matrix", (ranks) => {
    const policy = planGraph(graph, { ranks });
    const most = latents.has(name) ? 1.15 : 1.1;
    expect(Math.max(...policy.bytesPerRank)).toBeLessThanOrEqual(most * evenShare(policy));
  });

  it("is placed alike under other names and in another order", () => {
    const renamed = (value: string): string => `renamed ${value}`;
    const shuffled = reorderNodes(renameValues(graph, renamed), (candidates) => candidates - 1);
    const [before, after] = [planGraph(graph, { ranks: 3 }), planGraph(shuffled, { ranks: 3 })];
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

  it("pays for the embedding once, and for each layer once or twice", () => {
    const sums = (parallelResiduals.has(name) ? 1 : 2) + (normsOverHeads.has(name) ? 1 : 0);
    expect(planGraph(graph, { ranks: 2 }).collectives).toHaveLength(1 + layers * sums);
  });
});

/** Bytes of a rank that has its share of every matrix, and every vector (norms and biases) whole. */
function evenShare({ weights, ranks }: PartitionPolicy): number {
  return Object.values(weights).reduce((bytes, { dims }) => {
    const whole = dims.reduce((count, size) => count * size, Float32Array.BYTES_PER_ELEMENT);
    return bytes + (dims.length > 1 ? whole / ranks : whole);
  }, 0);
}
