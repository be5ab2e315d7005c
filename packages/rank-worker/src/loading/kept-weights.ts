import type { TensorData } from "@ringrank/model";
import { allocate, bytesOfShard, elementCount, type WeightShard } from "@ringrank/model/weights";
import type { RankProgram, Step } from "@ringrank/policy";
import { allSteps } from "../all-steps.js";
import type { MatrixHome } from "../kernels/matrix-home.js";

/** Names of the weights that stay in the rank's own memory, each once. */
export interface KeptWeights {
  /** For products: the weights of one list must be in one memory. */
  readonly matrices: readonly (readonly string[])[];
  /** Weights that are fed to sessions (whole to several segments, or by expert to one), added, or used to normalize. */
  readonly others: readonly string[];
}

/** Weights that are read together: their memory, by name. */
export type WeightPlaces = ReadonlyMap<string, TensorData>;

export function keptWeights({ segments, entries }: RankProgram): KeptWeights {
  const steps = allSteps(entries);
  const matrices = joined(steps.flatMap(productWeightsOf));
  const all = new Set(matrices.flat());
  const fed = segments.flatMap(({ sharedWeights }) => sharedWeights);
  const others = [...fed, ...steps.flatMap(otherWeightsOf)].filter((name) => !all.has(name));
  return { matrices, others: [...new Set(others)] };
}

/** The size of the matrices of a rank's own products. */
export function matrixBytes(program: RankProgram): number {
  const names = keptWeights(program).matrices.flat();
  return names.reduce((bytes, name) => bytes + bytesOfShard(program.weights[name]!), 0);
}

/** Allocates memory for all of them; for matrices, in the memory of the rank's kernels. */
export function placeWeights(
  { matrices, others }: KeptWeights,
  shardOf: (name: string) => WeightShard,
  home: MatrixHome,
): WeightPlaces[] {
  const sizeOf = (name: string) => {
    const { weight, dims } = shardOf(name);
    return { type: weight.type, count: elementCount(dims) };
  };
  const placed = matrices.map((names): WeightPlaces => {
    const data = home.place(names.map(sizeOf));
    return new Map(names.map((name, index) => [name, data[index]!]));
  });
  const apart = others.map((name): WeightPlaces => {
    const { type, count } = sizeOf(name);
    return new Map([[name, allocate(type, count)]]);
  });
  return [...placed, ...apart];
}

/** One list for each quantized matrix, or for all float matrices of an output, which can then be adjacent. */
function productWeightsOf(step: Step): string[][] {
  if (step.kind !== "product") return [];
  if (step.bits === 32) {
    return step.outputs.map(({ matrices }) => [
      ...matrices.map(({ values }) => values),
      ...matrices.flatMap(({ bias }) => bias ?? []),
    ]);
  }
  return step.outputs
    .flatMap(({ matrices }) => matrices)
    .map(({ values, scales, bias }) => (bias === undefined ? [values, scales] : [values, scales, bias]));
}

function otherWeightsOf(step: Step): readonly string[] {
  switch (step.kind) {
    case "routed":
      return step.expert.stacks;
    case "allReduce":
      return step.added?.rows ?? [];
    case "normalize":
      return [...(step.added?.rows ?? []), step.scale, ...(step.bias === undefined ? [] : [step.bias])];
    default:
      return [];
  }
}

/** Merges lists that share a name. */
function joined(lists: readonly (readonly string[])[]): string[][] {
  const listOf = new Map<string, Set<string>>();
  for (const names of lists) {
    const whole = new Set(names.flatMap((name) => [...(listOf.get(name) ?? [name])]));
    for (const name of whole) listOf.set(name, whole);
  }
  return [...new Set(listOf.values())].map((names) => [...names]);
}
