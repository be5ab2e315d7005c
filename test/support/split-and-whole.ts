import { isRingrankError } from "@ringrank/errors";
import { encodeOnnx, type Graph, type TensorData } from "@ringrank/model";
import {
  buildPrograms,
  type PartitionPolicy,
  type ProductKind,
  planGraph,
  policyFromJSON,
} from "@ringrank/policy";
import * as ort from "onnxruntime-node";
import { expect } from "vitest";
import { EmulatedGroup } from "./emulation/emulated-group.js";
import type { EmulatedTensor } from "./emulation/emulated-tensor.js";
import { select } from "./random-graph.js";
import { random, typed } from "./test-graph.js";

/** A graph with the contents of its parameters. */
export interface GraphWithContents {
  readonly graph: Graph;
  readonly contents: ReadonlyMap<string, TensorData>;
}

export type Tensors = Readonly<Record<string, EmulatedTensor>>;

/** Sizes of symbolic dimensions, by name; others are 3. */
export const sizes: Readonly<Record<string, number>> = { batch: 2, sequence: 3, past: 4 };

/**
 * A value for every input of a graph: numbers in ±1, token ids below 5, masks of ones.
 *
 * @param of the sizes of symbolic dimensions, by name
 */
export function inputsFor(
  { inputs }: Graph,
  of: Readonly<Record<string, number>> = sizes,
): Record<string, EmulatedTensor> {
  const entries = inputs.map(({ name, type, dims }, index): [string, EmulatedTensor] => {
    const known = dims.map((dim) => (typeof dim === "number" ? dim : (of[dim] ?? 3)));
    const count = known.reduce((product, size) => product * size, 1);
    const element = (at: number): number => {
      const number = random(7919 * (index + 1) + at);
      if (type === "float32") return 2 * number - 1;
      if (type === "bool") return 1;
      return type === "uint8" || type === "int8" ? Math.floor(100 * number) : Math.floor(5 * number);
    };
    const data = typed(
      type,
      Array.from({ length: count }, (_, at) => element(at)),
    );
    return [name, { type: type as EmulatedTensor["type"], dims: known, data }];
  });
  return Object.fromEntries(entries);
}

/**
 * What ONNX Runtime computes for the graph in one session; of the project's code, only the writer of the file is
 * involved.
 */
export async function runWhole({ graph, contents }: GraphWithContents, inputs: Tensors): Promise<Tensors> {
  const weights = new Map(
    [...graph.weights].map(([name, weight]) => {
      const data = contents.get(name);
      return [name, data === undefined ? weight : { ...weight, source: { kind: "inline" as const, data } }];
    }),
  );
  const session = await ort.InferenceSession.create(encodeOnnx({ ...graph, weights }), {
    intraOpNumThreads: 1,
    logSeverityLevel: 4,
    // As in ranks: float activations are not rounded because of a share's shape.
    extra: { session: { qdq_matmulnbits_accuracy_level: "1" } },
  });
  try {
    const feeds = Object.entries(inputs).map(([name, { type, data, dims }]) => [
      name,
      new ort.Tensor(type, data as Float32Array, dims),
    ]);
    return (await session.run(
      Object.fromEntries(feeds) as Record<string, ort.Tensor>,
    )) as unknown as Promise<Tensors>;
  } finally {
    await session.release();
  }
}

/**
 * What all ranks of a policy compute together. An output that is there before the last step is also computed alone,
 * without the steps after it.
 *
 * @param products those that are steps of their own, as on real ranks. Default: none
 */
export async function runSplit(
  { graph, contents }: GraphWithContents,
  policy: PartitionPolicy,
  inputs: Tensors,
  products: readonly ProductKind[] = [],
): Promise<Tensors> {
  const names = new Map([...graph.weights].map(([name, weight]) => [weight, name]));
  const programs = buildPrograms(graph, policy, { products });
  const group = await EmulatedGroup.open(programs, ({ weight, selection }) =>
    select(contents.get(names.get(weight)!)!, weight.dims, selection),
  );
  try {
    const whole = await group.run("forward", inputs);
    for (const output of Object.keys(programs[0]!.entries.forward!.outputSteps ?? {})) {
      const alone = await group.run("forward", inputs, { output });
      expect(alone[output], `${output}, alone`).toEqual(whole[output]);
    }
    return whole;
  } finally {
    await group.close();
  }
}

/** The products that ranks compute in steps of their own: none, or all that they can. */
export const productChoices: readonly (readonly ProductKind[])[] = [[], ["float32", "quantized", "experts"]];

const wholePlans = new WeakMap<Graph, PartitionPolicy>();

/** The plan of a graph on one rank, made once: its factors may be sharded in turn. */
export function wholePlan(graph: Graph): PartitionPolicy {
  const plan = wholePlans.get(graph) ?? planGraph(graph, { ranks: 1 });
  wholePlans.set(graph, plan);
  return plan;
}

/** A policy that shards only this factor. */
export function shardingOnly(graph: Graph, factor: number, ranks: number): PartitionPolicy {
  const whole = wholePlan(graph);
  const factors = whole.factors.map((one) => ({ ...one, sharded: one.id === factor }));
  return policyFromJSON(graph, { ...whole.toJSON(), ranks, factors }, { ranks });
}

/**
 * A policy, or undefined if it is refused: a factor that occurs twice in one tensor cannot be sharded, alone or at all.
 *
 * @param refusal the code with which it may be refused
 */
export function admissible(plan: () => PartitionPolicy, refusal: string): PartitionPolicy | undefined {
  try {
    return plan();
  } catch (error) {
    if (isRingrankError(error) && error.code === refusal) return undefined;
    throw error;
  }
}

/** Policies that each shard one factor of a graph, then the planned one; inadmissible ones are skipped. */
export function* plannedAndAlone(graph: Graph, ranks: number): Generator<PartitionPolicy> {
  for (const { id } of wholePlan(graph).factors) {
    const policy = admissible(() => shardingOnly(graph, id, ranks), "RR_POLICY");
    if (policy !== undefined) yield policy;
  }
  const policy = admissible(() => planGraph(graph, { ranks }), "RR_NOTHING_SHARDED");
  if (policy !== undefined) yield policy;
}
