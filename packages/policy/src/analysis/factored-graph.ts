import type { Graph } from "@ringrank/model";
import type { Dim } from "../factors/factor.js";
import type { Wiring } from "../graph/wiring.js";
import type { Linearity, Operator, Rule } from "../rules/rule.js";
import type { EvaluatedPair, SymbolTable } from "../shapes/index.js";

/** A graph in which every dimension has been divided into factors. */
export interface FactoredGraph {
  readonly graph: Graph;
  readonly nodes: readonly FactoredNode[];
  /** Dimensions of graph inputs and of node outputs. Uses of a weight have dimensions of their own, in the nodes. */
  readonly values: ReadonlyMap<string, readonly Dim[]>;
  /** Type and sizes of every value. */
  readonly shapes: ReadonlyMap<string, EvaluatedPair>;
  readonly symbols: SymbolTable;
  /** By the indices of the nodes. */
  readonly wiring: Wiring;
}

export interface FactoredNode {
  readonly operator: Operator;
  /** Undefined if the operator has no rule. */
  readonly rule: Rule | undefined;
  readonly linearity: Linearity | undefined;
  /** By slot; empty for an omitted input. */
  readonly inputs: readonly (readonly Dim[])[];
  readonly outputs: readonly (readonly Dim[])[];
  /** What the operator sums over. */
  readonly contracted: readonly Dim[];
  /** What the operator takes the maximum over. */
  readonly compared: readonly Dim[];
  /** Units of stacks of weights, of which the operator only reads some for a row. */
  readonly readInPart: readonly { readonly dim: Dim; readonly count: number }[];
  /** How the operator cuts a dimension, if it does. */
  readonly cut: readonly Dim[];
}
