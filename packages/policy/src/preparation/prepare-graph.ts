import { type Graph, isIf } from "@ringrank/model";
import { gatherForUnruled } from "../lowering/gather-for-unruled.js";
import { lower } from "../lowering/lower.js";
import type { Precision } from "../precision/precision.js";
import { quantizeGraph } from "../precision/quantize-graph.js";
import { type EvaluatedPair, evaluatePair, type SymbolTable } from "../shapes/index.js";
import { copyGivenConstants } from "./copy-given-constants.js";
import { hoistConstants } from "./hoist-constants.js";
import { holdEmptyWeights } from "./hold-empty-weights.js";
import { inlineBranches } from "./inline-branches.js";
import { liftCaptures } from "./lift-captures.js";
import { nameBranchesApart } from "./name-branches-apart.js";
import { readWeightsThemselves } from "./read-weights.js";

/** A graph in the form in which it is divided. */
export interface PreparedGraph {
  readonly graph: Graph;
  /** Type and sizes of every value. */
  readonly shapes: ReadonlyMap<string, EvaluatedPair>;
  readonly symbols: SymbolTable;
}

/**
 * Takes apart operators that do several things, resolves branches, looks through nodes that only rename a weight, and
 * puts matrices into their precision.
 */
export function prepareGraph(given: Graph, precision: Precision): PreparedGraph {
  const lowered = lowerWhole(given);
  const taken = evaluatePair(lowered, "taken");
  const inlined = liftCaptures(inlineBranches(lowered, (name) => taken.values.get(name)?.contents));
  const evaluated = inlined.nodes.some(isIf) ? evaluatePair(inlined) : taken;
  const plain = readWeightsThemselves(hoistConstants(holdEmptyWeights(inlined)));
  const graph = quantizeGraph(plain, precision, (name) => evaluated.values.get(name)?.type);
  const { values: shapes, symbols } = graph === plain ? evaluated : evaluatePair(graph);
  return { graph, shapes, symbols };
}

/** The graph with operators that do several things taken apart, and with no name defined twice. */
export function lowerWhole(given: Graph): Graph {
  return gatherForUnruled(lower(copyGivenConstants(nameBranchesApart(given))));
}
