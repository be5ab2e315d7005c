/**
 * Work on float32 values of one shape, element by element, as between a feed-forward's products. Values are numbered:
 * the segment's inputs, then what each instruction makes.
 */
export interface Elementwise {
  /** Each reads inputs, and what comes before it. */
  readonly instructions: readonly ElementwiseInstruction[];
  /** By place in the segment's outputs: the number of a value that an instruction makes. */
  readonly outputs: readonly number[];
}

export interface ElementwiseInstruction {
  readonly operation: ElementwiseOperation;
  /** One, or the left and the right one. */
  readonly operands: readonly ElementwiseOperand[];
}

/** A value, by its number; or one number in the place of every element. */
export type ElementwiseOperand = { readonly value: number } | { readonly constant: number };

/** Of ONNX's operators of these names, `add` to `maximum` have two operands. Where any is NaN, the result is. */
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
 * Nodes of a segment as plain data. Values are numbered: the segment's inputs, then constants, then what each
 * instruction makes. All are float32, int64 or bool.
 */
export interface Interpretable {
  readonly constants: readonly InterpretedConstant[];
  /** Each reads inputs, constants, and what comes before it. */
  readonly instructions: readonly InterpretedInstruction[];
  /** By place in the segment's outputs: the number of a value. */
  readonly outputs: readonly number[];
}

export type InterpretedType = "float32" | "int64" | "bool";

export interface InterpretedConstant {
  readonly type: InterpretedType;
  readonly dims: readonly number[];
  /** Integers are safe ones; of bool, 0 and 1. */
  readonly elements: readonly number[];
}

/** An operator of ONNX (https://onnx.ai/onnx/operators) of this name, in the form it has since opset 13. */
export interface InterpretedInstruction {
  readonly operator: InterpretedOperator;
  /** Numbers of values. */
  readonly operands: readonly number[];
  /** Of Concat. */
  readonly axis?: number;
  /** Of Cast. */
  readonly to?: InterpretedType;
  /** Of Shape. */
  readonly start?: number;
  readonly end?: number;
}

/** Of Gather, along the first axis. */
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
