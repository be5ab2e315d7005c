/**
 * Elementwise work on float32 values of equal shape, such as between the products of a feed-forward layer. Values are
 * numbered: the segment's inputs, then the result of each instruction.
 */
export interface Elementwise {
  /** Each reads inputs, and the results of earlier instructions. */
  readonly instructions: readonly ElementwiseInstruction[];
  /** By output of the segment: the number of the instruction's result. */
  readonly outputs: readonly number[];
}

export interface ElementwiseInstruction {
  readonly operation: ElementwiseOperation;
  /** One operand, or a left and a right one. */
  readonly operands: readonly ElementwiseOperand[];
}

/** A value, by its number; or one constant for every element. */
export type ElementwiseOperand = { readonly value: number } | { readonly constant: number };

/** ONNX's operators of these names. `add` to `maximum` have two operands. If any operand is NaN, so is the result. */
export type ElementwiseOperation =
  | "add"
  | "subtract"
  | "multiply"
  | "divide"
  | "minimum"
  | "maximum"
  | "sqrt"
  | "exp"
  | "sigmoid"
  | "tanh"
  | "erf";

/**
 * The nodes of a segment as plain data. Values are numbered: the segment's inputs, then constants, then the result of
 * each instruction. All are float32, int64 or bool.
 */
export interface Interpretable {
  readonly constants: readonly InterpretedConstant[];
  /** Each reads inputs, constants, and the results of earlier instructions. */
  readonly instructions: readonly InterpretedInstruction[];
  /** By output of the segment: the number of a value. */
  readonly outputs: readonly number[];
}

export type InterpretedType = "float32" | "int64" | "bool";

export interface InterpretedConstant {
  readonly type: InterpretedType;
  readonly dims: readonly number[];
  /** Integers are safe integers; bools are 0 and 1. */
  readonly elements: readonly number[];
}

/** The ONNX operator (https://onnx.ai/onnx/operators) of this name, in its form since opset 13. */
export interface InterpretedInstruction {
  readonly operator: InterpretedOperator;
  /** Numbers of values. */
  readonly operands: readonly number[];
  /** For Concat. */
  readonly axis?: number;
  /** For Cast. */
  readonly to?: InterpretedType;
  /** For Shape. */
  readonly start?: number;
  readonly end?: number;
}

/** Gather only works along the first axis. */
export type InterpretedOperator =
  | "Add"
  | "And"
  | "Cast"
  | "Concat"
  | "Cos"
  | "Equal"
  | "Expand"
  | "Gather"
  | "Greater"
  | "GreaterOrEqual"
  | "Less"
  | "LessOrEqual"
  | "Log"
  | "Mul"
  | "Neg"
  | "Not"
  | "Or"
  | "Reshape"
  | "Shape"
  | "Sin"
  | "Sub"
  | "Unsqueeze"
  | "Where";
