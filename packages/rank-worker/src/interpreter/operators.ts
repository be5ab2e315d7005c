import type { InterpretedInstruction, InterpretedOperator, InterpretedType } from "@ringrank/policy";
import { elementCount } from "../tensors/element-types.js";
import { broadcastSizes, type PerElement, perElement } from "./broadcast.js";
import { reshapedSizes, unsqueezedSizes } from "./reshaped-sizes.js";
import { type SmallValue, smallValue } from "./small-value.js";

/** Elements that are computed one by one, at most: of more, a session's loops save more than its operators cost. */
export const mostComputed = 2 ** 13;

/** Elements that are copied, at most. */
export const mostCopied = 2 ** 15;

/** What an operator makes of operands of these sizes. */
interface Made {
  readonly value: SmallValue;
  /** Makes it. @returns false where a session has to, or has to say what is wrong */
  readonly run: () => boolean;
}

/** Undefined where a session has to do it. */
type Prepare = (operands: readonly SmallValue[], instruction: InterpretedInstruction) => Made | undefined;

/** https://onnx.ai/onnx/operators has what they compute. */
export const operators: Readonly<Record<InterpretedOperator, Prepare>> = {
  Add: arithmetic((x, y) => x + y),
  And: test((x, y) => x !== 0 && y !== 0),
  Cast: ([x], { to }) => (x!.type === to ? reshaped(x!, x!.dims) : computed(casts[to!], [x!], to!)),
  Concat: (operands, { axis }) => concat(operands, axis!),
  Cos: arithmetic(Math.cos),
  Equal: test((x, y) => x === y),
  Expand: ([x, sizes]) => (sizes!.isFixed ? computed((x) => x, [x!], x!.type, [...sizes!.data]) : undefined),
  Gather: ([data, indices]) => gather(data!, indices!),
  Greater: test((x, y) => x > y),
  GreaterOrEqual: test((x, y) => x >= y),
  Less: test((x, y) => x < y),
  LessOrEqual: test((x, y) => x <= y),
  Mul: arithmetic((x, y) => x * y),
  Neg: arithmetic((x) => -x),
  Not: test((x) => x === 0),
  Or: test((x, y) => x !== 0 || y !== 0),
  Reshape: ([x, sizes]) => (sizes!.isFixed ? reshaped(x!, reshapedSizes(x!.dims, sizes!.data)) : undefined),
  Shape: ([x], { start, end }) => listOf(x!.dims.slice(start, end)),
  Sin: arithmetic(Math.sin),
  Sub: arithmetic((x, y) => x - y),
  Unsqueeze: ([x, axes]) => (axes!.isFixed ? reshaped(x!, unsqueezedSizes(x!.dims, axes!.data)) : undefined),
  Where: ([condition, x, y]) => computed(choose, [condition!, x!, y!], x!.type),
};

function arithmetic(f: PerElement): Prepare {
  return (operands) => computed(f, operands, operands[0]!.type);
}

function test(f: (x: number, y: number) => boolean): Prepare {
  return (operands) => computed((x, y) => (f(x, y) ? 1 : 0), operands, "bool");
}

const choose: PerElement = (condition, x, y) => (condition !== 0 ? x : y);

/** By the type that an element of another is cast to. No integer is −0, which a number may be. */
const casts: Readonly<Record<InterpretedType, PerElement>> = {
  float32: (x) => x + 0,
  int64: Math.trunc,
  bool: (x) => (x !== 0 ? 1 : 0),
};

/** @param least sizes that operands are broadcast to besides */
function computed(
  f: PerElement,
  operands: readonly SmallValue[],
  type: InterpretedType,
  least: readonly number[] = [],
): Made | undefined {
  const dims = broadcastSizes([least, ...operands.map((operand) => operand.dims)]);
  if (dims === undefined || elementCount(dims) > mostComputed) return undefined;
  const value = smallValue(type, dims, areFixed(operands));
  const run = perElement(f, operands, value);
  return {
    value,
    run: () => {
      run();
      return type !== "int64" || value.data.every(Number.isSafeInteger);
    },
  };
}

function areFixed(operands: readonly SmallValue[]): boolean {
  return operands.every(({ isFixed }) => isFixed);
}

/** Reads in place. */
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

/** Rows, or larger parts of the first axis. */
function gather(x: SmallValue, indices: SmallValue): Made | undefined {
  const [rows = 0, ...rest] = x.dims;
  const dims = [...indices.dims, ...rest];
  if (elementCount(dims) > mostCopied) return undefined;
  const width = elementCount(rest);
  const value = smallValue(x.type, dims, areFixed([x, indices]));
  return {
    value,
    run: () => {
      for (let at = 0; at < indices.data.length; at++) {
        const index = indices.data[at]!;
        const row = index < 0 ? index + rows : index;
        if (row < 0 || row >= rows) return false;
        value.data.set(x.data.subarray(row * width, (row + 1) * width), at * width);
      }
      return true;
    },
  };
}

function concat(operands: readonly SmallValue[], given: number): Made | undefined {
  const { type, dims: sizes } = operands[0]!;
  const axis = given < 0 ? given + sizes.length : given;
  const joined = operands.reduce((sum, { dims }) => sum + dims[axis]!, 0);
  const value = smallValue(type, sizes.with(axis, joined), areFixed(operands));
  if (value.data.length > mostCopied) return undefined;
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
