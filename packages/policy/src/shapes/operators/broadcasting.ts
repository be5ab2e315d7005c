import type { DataType } from "@ringrank/model";
import { broadcast } from "../broadcast.js";
import { type Evaluated, hasContents } from "../evaluated.js";
import type { NodeContext, ShapeRule, ShapeRules } from "../node-context.js";
import { isInteger, toElement } from "../numbers.js";
import { readBroadcast } from "../strides.js";

type Combine = (a: number, b: number) => number;

function combine(node: NodeContext, a: Evaluated, b: Evaluated, type: DataType, of: Combine): Evaluated {
  const dims = broadcast(node, a.dims, b.dims);
  if (!hasContents(type, dims) || a.contents === undefined || b.contents === undefined) return { type, dims };
  const right = readBroadcast(b.contents, b.dims, dims);
  const left = readBroadcast(a.contents, a.dims, dims);
  return { type, dims, contents: left.map((x, i) => toElement(type, of(x, right[i]!))) };
}

/** Two tensors of the same type, which is also the result's. */
function arithmetic(of: Combine): ShapeRule {
  return (node) => [combine(node, node.input(0), node.input(1), node.type(0), of)];
}

function comparison(of: (a: number, b: number) => boolean): ShapeRule {
  return (node) => [combine(node, node.input(0), node.input(1), "bool", (a, b) => (of(a, b) ? 1 : 0))];
}

/** One or more tensors, reduced from left to right. */
function variadic(of: Combine): ShapeRule {
  return (node) => [fold(node, of)];
}

function fold(node: NodeContext, of: Combine): Evaluated {
  let result = node.input(0);
  for (let slot = 1; slot < node.inputs.length; slot++) {
    result = combine(node, result, node.input(slot), result.type, of);
  }
  return result;
}

/** ONNX Runtime multiplies by the rounded reciprocal of the number of inputs. */
const mean: ShapeRule = (node) => {
  const { type, dims, contents } = fold(node, (a, b) => a + b);
  const each = toElement(type, 1 / node.inputs.length);
  return [{ type, dims, contents: contents?.map((x) => toElement(type, x * each)) }];
};

/** Integer division truncates towards zero. */
const div: ShapeRule = (node) => {
  const divide: Combine = isInteger(node.type(0)) ? (a, b) => Math.trunc(a / b) : (a, b) => a / b;
  return [combine(node, node.input(0), node.input(1), node.type(0), divide)];
};

/** The result has the sign of the divisor, as in Python; with fmod=1 the sign of the dividend, as in C. */
const mod: ShapeRule = (node) => {
  const remainder: Combine =
    node.int("fmod", 0) === 1 ? (a, b) => a % b : (a, b) => a - b * Math.floor(a / b);
  return [combine(node, node.input(0), node.input(1), node.type(0), remainder)];
};

const where: ShapeRule = (node) => {
  const [condition, yes, no] = [node.input(0), node.input(1), node.input(2)];
  const dims = broadcast(node, broadcast(node, condition.dims, yes.dims), no.dims);
  const { type } = yes;
  const known = condition.contents && yes.contents && no.contents;
  if (!known || !hasContents(type, dims)) return [{ type, dims }];
  const left = readBroadcast(yes.contents, yes.dims, dims);
  const right = readBroadcast(no.contents, no.dims, dims);
  const choice = readBroadcast(condition.contents, condition.dims, dims);
  return [{ type, dims, contents: choice.map((chosen, i) => (chosen !== 0 ? left[i]! : right[i]!)) }];
};

/** The broadcast shape; contents are not propagated. */
const broadcastOnly: ShapeRule = (node) => [
  { type: node.type(0), dims: broadcast(node, node.dims(0), node.dims(1)) },
];

/** Operators of several tensors that broadcast against each other. */
export const broadcastingRules: ShapeRules = {
  Add: arithmetic((a, b) => a + b),
  Sub: arithmetic((a, b) => a - b),
  Mul: arithmetic((a, b) => a * b),
  Pow: arithmetic((a, b) => a ** b),
  Div: div,
  Mod: mod,
  Min: variadic(Math.min),
  Max: variadic(Math.max),
  Sum: variadic((a, b) => a + b),
  Mean: mean,
  Equal: comparison((a, b) => a === b),
  Less: comparison((a, b) => a < b),
  LessOrEqual: comparison((a, b) => a <= b),
  Greater: comparison((a, b) => a > b),
  GreaterOrEqual: comparison((a, b) => a >= b),
  And: comparison((a, b) => a !== 0 && b !== 0),
  Or: comparison((a, b) => a !== 0 || b !== 0),
  Xor: comparison((a, b) => (a !== 0) !== (b !== 0)),
  Where: where,
  PRelu: broadcastOnly,
  BitShift: broadcastOnly,
  BitwiseAnd: broadcastOnly,
  BitwiseOr: broadcastOnly,
  BitwiseXor: broadcastOnly,
};
