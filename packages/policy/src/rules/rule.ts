import type { ConstantTensor, DataType, GraphNode } from "@ringrank/model";
import type { Dim, SizePair } from "../factors/factor.js";

/**
 * What the policy knows about one operator: how the factors of its inputs become factors of its outputs, in which
 * inputs it is linear, and what changes when a rank runs it on its share.
 *
 * A rule sees operators, attributes and shapes. It cannot see what a value is called.
 */
export interface Rule {
  /** Relates factors and returns those of every output, in the order of `operator.outputs`. */
  propagate(operator: Operator, factors: Propagation): readonly (readonly Dim[])[];
  /** How a sum still owed passes through; absent where it must be paid first. */
  readonly linearity?: Linearity | ((operator: Operator) => Linearity | undefined);
  /** Slots of operands that are added to a result which may be owed: they then count on one rank only. */
  readonly addends?: readonly number[];
  /** The nodes a rank runs instead of this one; absent where the node is right as it stands. */
  localize?(operator: Operator, local: Localization): readonly GraphNode[];
}

export type Linearity =
  /** Any number of inputs may be owed; those that are not count on one rank only. */
  | { readonly kind: "sum" }
  /** One of these inputs may be owed, while all others are whole. */
  | { readonly kind: "one"; readonly slots: readonly number[] };

/** A node with what is known about its values. */
export interface Operator {
  readonly node: GraphNode;
  readonly inputs: readonly (Operand | undefined)[];
  readonly outputs: readonly (Operand | undefined)[];
}

export interface Operand {
  readonly name: string;
  readonly type: DataType;
  readonly dims: readonly SizePair[];
  /** Elements of a small tensor that shapes depend on. */
  readonly contents: readonly SizePair[] | undefined;
  /** A constant of the graph. */
  readonly isWeight: boolean;
}

/** What a rule may do with factors while the graph is walked. */
export interface Propagation {
  /** The dimensions of input `slot`. Each use of a weight has its own. */
  input(slot: number): readonly Dim[];
  /** Makes two dimensions the same. */
  unify(a: Dim, b: Dim): void;
  /** `dim` is needed unsplit. */
  whole(dim: Dim, why: string): void;
  /** The operator sums over `dim`: where it is sharded, the outputs are owed a sum. */
  contract(dim: Dim): void;
  /**
   * The operator takes the largest over `dim` of numbers that are not negative: where it is sharded, the outputs are
   * owed the largest of all ranks', to which one without a share adds zero.
   */
  takeLargest(dim: Dim): void;
  /**
   * The operator cuts a dimension into these parts, laid end to end, or has dimensions inside that none of its operands
   * shows as they are; kept for {@link Localization.cut}.
   */
  cut(parts: readonly Dim[]): void;
}

/** What a rule may ask and make while it rewrites an operator for one rank. */
export interface Localization {
  /** Local name of input `slot`; `""` where it is left out. */
  input(slot: number): string;
  /** Local name of output `slot`. */
  output(slot: number): string;
  inputDims(slot: number): readonly Dim[];
  outputDims(slot: number): readonly Dim[];
  /** Size of a dimension on this rank. */
  size(dim: Dim): SizePair;
  isSharded(dim: Dim): boolean;
  /** The parts that {@link Propagation.cut} was given. */
  cut(): readonly Dim[];
  /** First unit of `dim` on this rank; for dimensions of which a rank has one interval. */
  start(dim: Dim): number;
  /** A new constant; returns its name. */
  constant(tensor: ConstantTensor): string;
  /**
   * A name for a new intermediate value.
   *
   * @param like its type and dimensions, for one that may cross from one segment to another
   */
  value(like?: { readonly type: DataType; readonly dims: readonly Dim[] }): string;
}
