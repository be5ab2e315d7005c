import { elementCount } from "@ringrank/model/weights";
import type { InterpretedInstruction, InterpretedOperator, InterpretedType } from "@ringrank/policy";
import { sameSizes } from "../tensors/tensor.js";
import { broadcastSizes, perElement } from "./broadcast.js";
import { type ElementLoop, loops } from "./element-loops.js";
import { reshapedSizes, unsqueezedSizes } from "./reshaped-sizes.js";
import { type RowSource, rowsOfValue } from "./row-source.js";
import { type SmallData, type SmallValue, smallValue } from "./small-value.js";

/**
 * The most elements that are computed one by one. For more, a session's faster loops outweigh the overhead of its
 * operators.
 */
export const mostComputed = 2 ** 13;

/** The most elements that are copied, or chosen. */
export const mostCopied = 2 ** 15;

/** The result of an operator for operands of these sizes. */
interface Made {
  readonly value: SmallValue;
  /**
   * Computes the result.
   *
   * @returns false if a session must compute it, or report the error
   */
  readonly run: () => boolean;
}

/** Returns undefined if a session must be used. */
type Prepare = (operands: readonly SmallValue[], instruction: InterpretedInstruction) => Made | undefined;

/** https://onnx.ai/onnx/operators defines what they compute. */
export const operators: Readonly<Record<InterpretedOperator, Prepare>> = {
  Add: arithmetic(loops.add),
  And: test(loops.and),
  Cast: ([x], { to }) => (x!.type === to ? reshaped(x!, x!.dims) : computed(casts[to!], [x!], to!)),
  Concat: (operands, { axis }) => concat(operands, axis!),
  Cos: arithmetic(loops.cos),
  Equal: test(loops.equal),
  Expand: ([x, sizes]) =>
    sizes!.isFixed ? computed(loops.copy, [x!], x!.type, [...sizes!.data]) : undefined,
  Gather: ([data, indices]) => gather(rowsOfValue(data!), indices!),
  Greater: ([x, y]) => computed(loops.less, [y!, x!], "bool"),
  GreaterOrEqual: ([x, y]) => computed(loops.lessOrEqual, [y!, x!], "bool"),
  Less: test(loops.less),
  LessOrEqual: test(loops.lessOrEqual),
  Log: arithmetic(loops.log),
  Mul: arithmetic(loops.multiply),
  Neg: arithmetic(loops.negate),
  Not: test(loops.not),
  Or: test(loops.or),
  Reshape: ([x, sizes]) => (sizes!.isFixed ? reshaped(x!, reshapedSizes(x!.dims, sizes!.data)) : undefined),
  Shape: ([x], { start, end }) => listOf(x!.dims.slice(start, end)),
  Sin: arithmetic(loops.sin),
  Sub: arithmetic(loops.subtract),
  Unsqueeze: ([x, axes]) => (axes!.isFixed ? reshaped(x!, unsqueezedSizes(x!.dims, axes!.data)) : undefined),
  Where: ([condition, x, y]) => computed(loops.choose, [condition!, x!, y!], x!.type, [], mostCopied),
};

function arithmetic(loop: ElementLoop): Prepare {
  return (operands) => computed(loop, operands, operands[0]!.type);
}

function test(loop: ElementLoop): Prepare {
  return (operands) => computed(loop, operands, "bool");
}

/** By the type that elements are cast to. */
const casts: Readonly<Record<InterpretedType, ElementLoop>> = {
  float32: loops.withoutSignOfZero,
  int64: loops.truncate,
  bool: loops.isNotZero,
};

/**
 * @param least sizes that operands are broadcast to as well
 * @param most elements of the result
 */
function computed(
  loop: ElementLoop,
  operands: readonly SmallValue[],
  type: InterpretedType,
  least: readonly number[] = [],
  most = mostComputed,
): Made | undefined {
  const dims = broadcastSizes([least, ...operands.map((operand) => operand.dims)]);
  if (dims === undefined || elementCount(dims) > most) return undefined;
  const value = smallValue(type, dims, areFixed(operands));
  const run = perElement(loop, operands, value);
  return {
    value,
    run: () => {
      run();
      return type !== "int64" || areExact(value.data);
    },
  };
}

function areExact(data: SmallData): boolean {
  for (let i = 0; i < data.length; i++) if (!Number.isSafeInteger(data[i]!)) return false;
  return true;
}

function areFixed(operands: readonly SmallValue[]): boolean {
  return operands.every(({ isFixed }) => isFixed);
}

/** Works in place. */
function reshaped(x: SmallValue, dims: readonly number[]): Made | undefined {
  if (elementCount(dims) !== x.data.length) return undefined;
  const value: SmallValue = { ...x, dims, isOwn: false };
  return {
    value,
    run: () => {
      value.data = x.data;
      return true;
    },
  };
}

function listOf(elements: readonly number[]): Made {
  const value = smallValue("int64", [elements.length], true);
  value.data.set(elements);
  return { value, run: () => true };
}

/** Gathers rows, or larger parts along the first axis. */
export function gather(source: RowSource, indices: SmallValue): Made | undefined {
  const [rows = 0, ...rest] = source.dims;
  const dims = [...indices.dims, ...rest];
  if (elementCount(dims) > mostCopied) return undefined;
  const width = elementCount(rest);
  const value = smallValue(source.type, dims, source.isFixed && indices.isFixed);
  return {
    value,
    run: () => {
      for (let at = 0; at < indices.data.length; at++) {
        const index = indices.data[at]!;
        const row = index < 0 ? index + rows : index;
        if (row < 0 || row >= rows) return false;
        source.copy(row, value.data, at * width);
      }
      return true;
    },
  };
}

function concat(operands: readonly SmallValue[], given: number): Made | undefined {
  const { type, dims: sizes } = operands[0]!;
  const axis = given < 0 ? given + sizes.length : given;
  const fits = ({ dims }: SmallValue) => sameSizes(dims.with(axis, 1), sizes.with(axis, 1));
  if (!operands.every((operand) => operand.dims.length === sizes.length && fits(operand))) return undefined;
  const joined = sizes.with(
    axis,
    operands.reduce((sum, { dims }) => sum + dims[axis]!, 0),
  );
  if (elementCount(joined) > mostCopied) return undefined;
  const value = smallValue(type, joined, areFixed(operands));
  const pieces = elementCount(sizes.slice(0, axis));
  return {
    value,
    run: () => {
      for (let piece = 0, end = 0; piece < pieces; piece++) {
        for (const { data } of operands) {
          const length = data.length / pieces;
          value.data.set(data.subarray(piece * length, (piece + 1) * length), end);
          end += length;
        }
      }
      return true;
    },
  };
}
