import { buildGraph, entryGraph, openCheckpoint } from "@ringrank/model";
import { ShardReader } from "@ringrank/model/weights";
import { buildPrograms, type ProductKind, planGraph, type RankProgram } from "@ringrank/policy";
import { afterAll, describe, expect, it } from "vitest";
import {
  modelTolerance,
  readGolden,
  standardDeviation,
  zooDirectory,
  zooNames,
} from "../../packages/model/src/testing/fixtures.js";
import { EmulatedGroup } from "../support/emulation/emulated-group.js";
import type { EmulatedTensor } from "../support/emulation/emulated-tensor.js";
import { firstStep, int64 } from "../support/first-step.js";

type Case = readonly [name: string, precision: "float32" | "int8" | "int4", ranks: number];

/**
 * Biases, fused projections, parallel blocks, capped logits, experts. Three ranks share two groups of heads that end
 * where blocks do, so that one rank has no share of some products. `npm run test:full` covers every model.
 */
const some: readonly Case[] = [
  ["bloom", "int4", 2],
  ["bloom", "float32", 2],
  ["falcon-40b-like", "int4", 3],
  ["gemma2", "int8", 2],
  ["gpt2", "int8", 3],
  ["gptj", "int4", 2],
  ["llama", "int8", 2],
  ["llama", "int4", 1],
  ["llama", "float32", 3],
  ["mixtral", "int4", 2],
];
const every = (): Case[] =>
  zooNames("causal").flatMap((name): Case[] => [
    [name, "int4", 1],
    [name, "int8", 2],
    [name, "int4", 3],
    [name, "float32", 2],
  ]);
const cases = process.env.RINGRANK_EVERY_MODEL === undefined ? some : every();

describe("products as separate steps compute what they compute within segments", () => {
  const reader = new ShardReader();
  afterAll(() => reader[Symbol.dispose]());

  it.each(cases)("of %s in %s on %i ranks", async (name, precision, ranks) => {
    const { graph } = buildGraph(openCheckpoint(zooDirectory(name)));
    const policy = planGraph(graph, { ranks, precision });
    const logitsOf = async (programs: readonly RankProgram[]): Promise<Float32Array> => {
      const group = await EmulatedGroup.open(programs, (shard) => reader.read(shard));
      const { logits } = await group.run("forward", firstStep(graph, readGolden(name).inputIds));
      await group.close();
      return logits!.data as Float32Array;
    };
    const within = buildPrograms(graph, policy);
    const kind = precision === "float32" ? "float32" : "quantized";
    const apart = buildPrograms(graph, policy, { products: [kind] });
    for (const [rank, program] of apart.entries()) {
      // A plain MatMul of floats transposes no matrix, so it stays in its segment.
      if (kind === "quantized") expect(productsOf(program)).toBeGreaterThan(0);
      expect(asComputed(program.weights)).toEqual(within[rank]!.weights);
    }
    const expected = await logitsOf(within);
    // Floats differ only in the order of sums.
    if (kind === "float32") expect(await logitsOf(apart)).toBeAllclose(expected, modelTolerance(expected));
    else expectSameButForRoundings(await logitsOf(apart), expected);
  });

  it("of an encoder–decoder, with weights that its entries share", async () => {
    const { graph } = buildGraph(openCheckpoint(zooDirectory("t5")));
    const policy = planGraph(graph, { ranks: 2, precision: "int4" });
    const { inputIds, target } = readGolden("t5");
    const dims = [inputIds.length, inputIds[0]!.length];
    const ones = int64(Array<number>(dims[0]! * dims[1]!).fill(1), dims);
    const first = Object.entries(firstStep(entryGraph(graph, "decode"), target!.inputIds));
    const decoded: Record<string, EmulatedTensor> = {
      ...Object.fromEntries(first.filter(([input]) => !input.startsWith("encoded."))),
      encoder_positions: int64(
        inputIds.flatMap((row) => [...row.keys()]),
        dims,
      ),
    };
    const logitsOf = async (products: readonly ProductKind[]): Promise<Float32Array> => {
      const programs = buildPrograms(graph, policy, { products });
      const group = await EmulatedGroup.open(programs, (shard) => reader.read(shard));
      await group.run("encode", { input_ids: int64(inputIds.flat(), dims), attention_mask: ones });
      const { logits } = await group.run("decode", decoded);
      await group.close();
      return logits!.data as Float32Array;
    };
    const expected = await logitsOf([]);
    expectSameButForRoundings(await logitsOf(["quantized"]), expected);
  });
});

/**
 * The same operator multiplies and rounds in both, but the operators around it are fused differently and norms are
 * computed in another order, so some activations are rounded to an adjacent value, and later ones differ: by
 * 1.1% of a standard deviation at most, on three kinds of processors.
 */
function expectSameButForRoundings(given: Float32Array, expected: Float32Array): void {
  const squares = expected.reduce((sum, x, i) => sum + (x - given[i]!) ** 2, 0);
  expect(Math.sqrt(squares / expected.length)).toBeLessThanOrEqual(2e-2 * standardDeviation(expected));
}

function productsOf({ entries }: RankProgram): number {
  return Object.values(entries).flatMap(({ steps }) => steps.filter(({ kind }) => kind === "product")).length;
}

/** Weights of a program without those types and second weights in which products of floats read matrices. */
function asComputed(weights: RankProgram["weights"]): RankProgram["weights"] {
  const all = Object.entries(weights).map(([name, { weight, ...shard }]) => {
    const type = weight.type === "bfloat16" ? "float32" : weight.type;
    return [name.replace(/·bfloat16$/, ""), { ...shard, weight: { ...weight, type } }] as const;
  });
  return Object.fromEntries(all);
}
