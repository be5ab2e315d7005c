import { floatAttribute, type GraphNode, intAttribute } from "@ringrank/model";
import { normalizeAxis } from "../rules/attributes.js";
import { operatorName } from "../rules/table.js";
import type { LocalValues } from "./local-values.js";
import type { LocalGraph } from "./localize.js";
import type { NormalizeStep, Step } from "./program.js";

/** What of a stage normalizations have to do with. */
interface NormalizingStage {
  readonly nodes: readonly GraphNode[];
  readonly allReduces: readonly Extract<Step, { kind: "allReduce" }>[];
  readonly normalizations: readonly NormalizeStep[];
}

/**
 * Takes the normalizations of all-reduced values out of the segments that begin with them. A rank has the sum at hand
 * when its collective ends, and normalizing a row then costs less than one operator more in a session.
 *
 * Only one whose parameters nothing else reads, and whose value no caller does, is taken: what a rank computes itself
 * it keeps in memory of its own.
 *
 * @param outputs names of the values that are given to the caller
 * @param reads how many nodes of the program read a weight
 */
export function normalizeSums<S extends NormalizingStage>(
  stages: readonly S[],
  { shards }: Pick<LocalGraph, "shards">,
  values: LocalValues,
  outputs: ReadonlySet<string>,
  reads: ReadonlyMap<string, number>,
): S[] {
  const isOwn = (name: string, width: number): boolean => {
    const shard = shards.get(name);
    return shard?.weight.type === "float32" && shard.dims.join() === `${width}` && reads.get(name) === 1;
  };

  const stepFor = (node: GraphNode, sums: ReadonlySet<string>): NormalizeStep | undefined => {
    const centered = centering.get(operatorName(node));
    const [value, scale, bias] = node.inputs;
    const [output, ...statistics] = node.outputs;
    if (centered === undefined || value === undefined || scale === undefined || output === undefined) return;
    if (!sums.has(value) || outputs.has(output) || statistics.some((name) => name !== "")) return;
    const { type, dims } = values.get(value)!;
    const [width, widest] = dims.at(-1) ?? [0, 1];
    const axis = normalizeAxis(intAttribute(node, "axis", -1), dims.length);
    if (type !== "float32" || width !== widest || axis !== dims.length - 1) return;
    const hasBias = bias !== undefined && bias !== "";
    if (![scale, ...(hasBias ? [bias] : [])].every((name) => isOwn(name, width))) return;
    const epsilon = floatAttribute(node, "epsilon", 1e-5);
    return { kind: "normalize", value, output, scale, ...(hasBias && { bias }), epsilon, centered };
  };

  const steps = stages.map(({ nodes }, index) => {
    const sums = sumsOf(stages[index - 1]);
    return nodes.map((node) => stepFor(node, sums));
  });
  return stages.map((stage, index) => ({
    ...stage,
    nodes: stage.nodes.filter((_, at) => steps[index]![at] === undefined),
    normalizations: (steps[index + 1] ?? []).filter((step) => step !== undefined),
  }));
}

/** What is summed over ranks at a stage's end. */
function sumsOf(stage: NormalizingStage | undefined): Set<string> {
  const sums = stage?.allReduces.filter(({ operation }) => operation === undefined) ?? [];
  return new Set(sums.map(({ value }) => value));
}

/** By operator: whether a row's mean is subtracted. https://onnx.ai/onnx/operators/onnx__LayerNormalization.html */
const centering: ReadonlyMap<string, boolean> = new Map([
  ["LayerNormalization", true],
  ["RMSNormalization", false],
  ["SimplifiedLayerNormalization", false],
  ["com.microsoft::SimplifiedLayerNormalization", false],
]);
