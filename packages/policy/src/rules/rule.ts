import type { ConstantTensor, DataType, GraphNode } from "@ringrank/model";
import type { Dim } from "../factors/factor.js";
import type { SizePair } from "../shapes/size-pair.js";

/**
 * What the policy knows about one operator: how the factors of its inputs become factors of its outputs, in which
 * inputs it is linear, and what changes when a rank runs it on its share.
 *
 * A rule sees operators, attributes and shapes. It cannot see the names of values.
 */
export interface Rule {
  /** Relates factors and returns those of every output, in the order of `operator.outputs`. */
  propagate(operator: Operator, factors: Propagation): readonly (readonly Dim[])[];
  /** How a sum that is still owed passes through. Absent if it must be reduced first. */
  readonly linearity?: Linearity | ((operator: Operator) => Linearity | undefined);
  /** Slots of operands that are added to a result which may be owed. They then count on one rank only. */
  readonly addends?: readonly number[];
  /**
   * Slots of operands that the operator sums over, if it also has operands whose units it computes apart before that
   * sum, as the first of two products does. Absent if it sums over every operand that holds what it contracts.
   */
  readonly summed?: readonly number[];
  /** Slots of operands of which only the sizes matter. A sum that is owed there need not be reduced first. */
  readonly unread?: readonly number[];
  /** The nodes that a rank runs instead of this one. Absent if the node can run unchanged. */
  localize?(operator: Operator, local: Localization): readonly GraphNode[];
}

/** Rules by {@link operatorName}. */
export type Rules = Readonly<Record<string, Rule>>;

export type Linearity =
  /** Any number of inputs may be owed; those that are not count on one rank only. */
  | { readonly kind: "sum" }
  /** One of these inputs may be owed, if all other inputs are whole. */
  | { readonly kind: "one"; readonly slots: readonly number[] };

/** A node, with what is known about its values. */
export interface Operator {
  readonly node: GraphNode;
  readonly inputs: readonly (Operand | undefined)[];
  readonly outputs: readonly (Operand | undefined)[];
}

export interface Operand {
  readonly name: string;
  readonly type: DataType;
  readonly dims: readonly SizePair[];
  /** The elements of a small tensor that shapes depend on. */
  readonly contents: readonly SizePair[] | undefined;
  /** Whether it is a constant of the graph. */
  readonly isWeight: boolean;
}

/** What a rule may do with factors during propagation. */
export interface Propagation {
  /** The dimensions of input `slot`. Each use of a weight has dimensions of its own. */
  input(slot: number): readonly Dim[];
  /** Declares that two dimensions are the same. */
  unify(a: Dim, b: Dim): void;
  /** Declares that the operator needs `dim` unsplit. */
  whole(dim: Dim, why: string): void;
  /** Declares that the operator sums over `dim`. If it is sharded, the outputs are owed a sum. */
  contract(dim: Dim): void;
  /**
   * Declares that the operator takes the maximum of non-negative numbers over `dim`. If it is sharded, the outputs are
   * owed the maximum over all ranks, to which a rank without a share contributes zero.
   */
  takeLargest(dim: Dim): void;
  /** Declares that a row reads only `count` units of `dim`, the first axis of stacks of weights. */
  readsSome(dim: Dim, count: number): void;
  /**
   * Declares that the operator cuts a dimension into these parts, laid end to end, or has inner dimensions that do not
   * appear in any of its operands. {@link Localization.cut} returns them.
   */
  cut(parts: readonly Dim[]): void;
}

/** What a rule may query and create while it rewrites an operator for one rank. */
export interface Localization {
  /** Local name of input `slot`; `""` if it is omitted. */
  input(slot: number): string;
  /** Local name of output `slot`. */
  output(slot: number): string;
  inputDims(slot: number): readonly Dim[];
  outputDims(slot: number): readonly Dim[];
  /** Size of a dimension on this rank. */
  size(dim: Dim): SizePair;
  isSharded(dim: Dim): boolean;
  /** The parts that were passed to {@link Propagation.cut}. */
  cut(): readonly Dim[];
  /** First unit of `dim` on this rank. Only for dimensions of which each rank has a single interval. */
  start(dim: Dim): number;
  /** Adds a constant and returns its name. */
  constant(tensor: ConstantTensor): string;
  /**
   * Returns a name for a new intermediate value.
   *
   * @param like the type and dimensions of the value, if it may cross from one segment to another, or be interpreted
   */
  value(like?: { readonly type: DataType; readonly dims: readonly Dim[] }): string;
}
