import { buildGraph, type Graph, openCheckpoint, type QuantizedSource, type Weight } from "@ringrank/model";
import { bytesOf, ShardReader, type WeightShard } from "@ringrank/model/weights";
import { buildPrograms, planGraph, type RankProgram } from "@ringrank/policy";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  modelTolerance,
  readGolden,
  standardDeviation,
  zooDirectory,
  zooNames,
} from "../../packages/model/src/testing/fixtures.js";
import { EmulatedGroup } from "../support/emulation/emulated-group.js";
import { firstStep } from "../support/first-step.js";
import { memoized } from "../support/memoized.js";
import { select } from "../support/random-graph.js";
import { rootMeanSquare } from "../support/root-mean-square.js";

/**
 * Ten kinds of models: fused projections in three layouts, weights stored transposed, tied heads, groups of heads,
 * scaled and capped logits, experts and their router, latents. `npm run test:full` covers all models.
 */
const ten = [
  "bloom",
  "codegen",
  "cohere",
  "deepseek-v2",
  "falcon-40b-like",
  "gemma2",
  "gpt2",
  "llama",
  "mixtral",
  "phi3",
];
const names = process.env.RINGRANK_EVERY_MODEL === undefined ? ten : zooNames("causal");

it.each(["falcon-7b-like", "gpt-bigcode"])(
  "a rank without a query head of %s receives no cache rows",
  (name) => {
    const { graph } = buildGraph(openCheckpoint(zooDirectory(name)));
    // For three ranks, the heads span two blocks of 32.
    const programs = buildPrograms(graph, planGraph(graph, { ranks: 3, precision: "int4" }));
    const given = programs.map(({ entries }) => {
      const { inputs, caches } = entries.forward!;
      const kept = caches.flatMap(({ states }) => states.map(({ past }) => past));
      expect(inputs.flatMap(({ name }) => (/^past\./.test(name) ? [name] : []))).toEqual(kept);
      return kept.length > 0;
    });
    expect(given).toEqual([true, true, false]);
  },
);

describe.each(["int8", "int4"] as const)("in %s", (precision) => {
  describe.each(names)("%s", (name) => {
    const { graph } = buildGraph(openCheckpoint(zooDirectory(name)));
    const golden = readGolden(name);
    const reader = new ShardReader();
    afterAll(() => reader[Symbol.dispose]());

    const programsWith = (activations: "float32" | "int8") =>
      memoized((ranks: number) => buildPrograms(graph, planGraph(graph, { ranks, precision, activations })));
    const [programsOf, roundingProgramsOf] = [programsWith("float32"), programsWith("int8")];
    const logitsOf = async (programs: readonly RankProgram[]): Promise<Float32Array> => {
      const group = await EmulatedGroup.open(programs, (shard) => reader.read(shard));
      const { logits } = await group.run("forward", firstStep(graph, golden.inputIds));
      await group.close();
      return logits!.data as Float32Array;
    };
    const whole = programsOf(1);
    let exact: Float32Array;
    let rounded: Float32Array;
    beforeAll(async () => {
      exact = await logitsOf(whole);
      rounded = await logitsOf(roundingProgramsOf(1));
    });

    it("computes what fp32 products with the dequantized matrices do", async () => {
      const apart = withTablesApart(graph);
      const plain = buildPrograms(apart, planGraph(apart, { ranks: 1 }));
      const matrices = roundedMatrices(whole[0]!, reader);
      const group = await EmulatedGroup.open(plain, (shard) => matrices(shard) ?? reader.read(shard));
      const { logits } = await group.run("forward", firstStep(graph, golden.inputIds));
      await group.close();
      expect(exact).toBeAllclose(logits!.data as Float32Array, modelTolerance(exact));
    });

    it.each([2, 3, 4])("stores on each of %i ranks the bytes that one rank stores there", (ranks) => {
      const one = whole[0]!.weights;
      const wholeOf = memoized((known: WeightShard) => reader.read(known));
      for (const { weights } of programsOf(ranks)) {
        for (const [local, shard] of Object.entries(weights)) {
          // Further selections of a weight are named after it, with # and a number.
          const known = one[local] ?? one[local.slice(0, local.lastIndexOf("#"))]!;
          const expected = select(wholeOf(known), known.dims, shard.selection);
          expect(Buffer.compare(bytesOf(reader.read(shard)), bytesOf(expected))).toBe(0);
        }
      }
    });

    it.each([2, 3, 4])("computes with fp32 activations one rank's logits on %i ranks", async (ranks) => {
      const logits = await logitsOf(programsOf(ranks));
      expect(logits).toBeAllclose(exact, modelTolerance(exact));
    });

    it.each([2, 4])(
      "computes with int8 activations one rank's logits, up to rounding, on %i ranks",
      async (ranks) => {
        const logits = await logitsOf(roundingProgramsOf(ranks));
        // Sums in another order round some activations to an adjacent value, and later ones differ.
        expect(rootMeanSquare(logits, rounded)).toBeLessThanOrEqual(5e-2 * standardDeviation(rounded));
      },
    );
  });
});

/**
 * The content that a reader of the fp32 graph must return so that it multiplies by the same rounded matrices: n ·
 * scale, in the position of each element that the quantized program reads.
 */
function roundedMatrices(
  { weights }: RankProgram,
  reader: ShardReader,
): (shard: WeightShard) => Float32Array | undefined {
  const byPlace = new Map<string, Float32Array>();
  for (const [name, shard] of Object.entries(weights)) {
    const parts = quantizedParts(shard.weight);
    const { dims, transposed } = parts[0]?.matrix ?? { dims: [0, 0], transposed: false };
    if (parts[0]?.part !== "values") continue;
    const values = reader.read(shard) as Uint8Array;
    const scales = reader.read(weights[`${name}·scales`]!) as Float32Array;
    const [rows, columns] = transposed ? [dims[1], dims[0]] : dims;
    const blocks = Math.ceil(columns / 32);
    const matrix = new Float32Array(parts.length * rows * columns);
    for (let row = 0; row < parts.length * rows; row++) {
      const first = Math.floor(row / rows) * rows * columns;
      for (let column = 0; column < columns; column++) {
        const at = row * blocks * 32 + column;
        const n = parts[0].bits === 8 ? values[at]! - 128 : ((values[at >> 1]! >> (4 * (at % 2))) & 15) - 8;
        const value = n * scales[row * blocks + (column >> 5)]!;
        const to = transposed ? column * rows + (row % rows) : (row % rows) * columns + column;
        matrix[first + to] = value;
      }
    }
    byPlace.set(`${isTable(shard.weight)} ${placeOf(shard.weight.source)}`, matrix);
  }
  return ({ weight, selection }) => {
    const matrix = byPlace.get(`${isTable(weight)} ${placeOf(weight.source)}`);
    return matrix && (select(matrix, weight.dims, selection) as Float32Array);
  };
}

/** Weights that are looked up by row, and the copies that {@link withTablesApart} adds for lookups. */
const tables = new WeakSet<Weight>();

function isTable(weight: Weight): boolean {
  return tables.has(weight) || (weight.source.kind === "quantized" && weight.dims.length === 2);
}

/** The same graph with a separate weight for each lookup, since a tied weight is quantized in two ways. */
function withTablesApart(graph: Graph): Graph {
  const weights = new Map(graph.weights);
  const nodes = graph.nodes.map((node) => {
    const [name, ...others] = node.inputs;
    const weight = weights.get(name ?? "");
    if (node.opType !== "Gather" || weight === undefined) return node;
    const table = { ...weight };
    tables.add(table);
    weights.set(`${name} looked up`, table);
    return { ...node, inputs: [`${name} looked up`, ...others] };
  });
  return { ...graph, nodes, weights };
}

/** The matrices of a quantized weight: one, or those of a stack; none for any other weight. */
function quantizedParts({ source }: Weight): readonly QuantizedSource[] {
  if (source.kind === "stack")
    return source.parts.flatMap((part) => (part.kind === "quantized" ? [part] : []));
  return source.kind === "quantized" ? [source] : [];
}

/** Identifies where the first element is stored. */
function placeOf(source: Weight["source"]): string {
  switch (source.kind) {
    case "file":
      return `${source.file}:${source.offset}`;
    case "quantized":
      return placeOf(source.matrix.source);
    case "stack":
      return placeOf(source.parts[0]!);
    default:
      return source.kind;
  }
}
