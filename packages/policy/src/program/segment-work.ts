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
  /** For Gather: what rows are looked up in, in place of a first operand. */
  readonly table?: InterpretedTable;
  /** For Concat. */
  readonly axis?: number;
  /** For Cast. */
  readonly to?: InterpretedType;
  /** For Shape. */
  readonly start?: number;
  readonly end?: number;
}

/**
 * A weight of which rows are looked up along the first axis. Names in the program's weights.
 *
 * Without `blocks`, `values` is float32 `[rows, …]`. With them, it is uint8 `[rows, bytes]` in the layout of
 * GatherBlockQuantized
 * (https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.GatherBlockQuantized).
 */
export interface InterpretedTable {
  readonly values: string;
  readonly blocks?: QuantizedBlocks;
}

/**
 * How the elements of a row follow from numbers of `bits` bits, of which the first is in the lowest bits of a byte:
 *
 *     row[i] = scales[⌊i / size⌋] · (values[i] − zero)     zero: zeroPoints[⌊i / size⌋] if given, else 2^(bits − 1)
 */
export interface QuantizedBlocks {
  readonly bits: number;
  /** In elements. */
  readonly size: number;
  /** float32 `[rows, blocks]`. */
  readonly scales: string;
  /** uint8 `[rows, bytes]`, packed like the values. */
  readonly zeroPoints?: string;
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
