import type { Graph } from "@ringrank/model";
import { describePrecision, type Precision } from "../precision/precision.js";
import type { FactoredGraph } from "./factored-graph.js";
import { fingerprint } from "./fingerprint.js";
import { propagateFactors } from "./propagate.js";
import { findRoles, type Roles } from "./roles.js";

/** How a graph can be divided, before anything is decided. */
export interface Analysis {
  readonly precision: Precision;
  readonly factored: FactoredGraph;
  readonly found: Roles;
  /** Of the graph that is divided, after it has been rewritten. */
  readonly fingerprint: string;
}

/** The last analysis of each graph, because callers that plan a graph build its programs next. */
const analyses = new WeakMap<Graph, Analysis>();

export function analyse(graph: Graph, precision: Precision): Analysis {
  const known = analyses.get(graph);
  if (known !== undefined && describePrecision(known.precision) === describePrecision(precision))
    return known;
  const factored = propagateFactors(graph, precision);
  const found = findRoles(factored);
  const analysis: Analysis = { precision, factored, found, fingerprint: fingerprint(factored.graph) };
  analyses.set(graph, analysis);
  return analysis;
}
