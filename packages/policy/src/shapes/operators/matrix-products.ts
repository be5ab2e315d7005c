import { broadcast } from "../broadcast.js";
import type { NodeContext, ShapeRule, ShapeRules } from "../node-context.js";
import { einsum } from "./einsum.js";

/** The shape with its last two axes swapped. */
function transposed(dims: readonly number[]): readonly number[] {
  return [...dims.slice(0, -2), dims.at(-1)!, dims.at(-2)!];
}

/**
 * `[…, m, k] × […, k, n] → […, m, n]` with broadcast batch axes; a vector gets an axis of size 1, which is dropped from
 * the result.
 */
function product(node: NodeContext, a: readonly number[], b: readonly number[]): readonly number[] {
  if (a.length === 0 || b.length === 0) node.fail("two tensors of at least one axis");
  const left = a.length === 1 ? [1, ...a] : a;
  const right = b.length === 1 ? [...b, 1] : b;
  const inner = left.at(-1);
  if (inner !== right.at(-2)) node.fail(`the contracted sizes to agree, not ${inner} and ${right.at(-2)}`);
  const batch =
    right.length === 2 ? left.slice(0, -2) : [...broadcast(node, left.slice(0, -2), right.slice(0, -2))];
  if (a.length > 1) batch.push(left.at(-2)!);
  if (b.length > 1) batch.push(right.at(-1)!);
  return batch;
}

const matMul: ShapeRule = (node) => [{ type: node.type(0), dims: product(node, node.dims(0), node.dims(1)) }];

const matMulInteger: ShapeRule = (node) => [
  { type: "int32", dims: product(node, node.dims(0), node.dims(1)) },
];

/** com.microsoft.MatMulIntegerToFloat: in the type of the scales. */
const matMulIntegerToFloat: ShapeRule = (node) => [
  { type: node.type(2), dims: product(node, node.dims(0), node.dims(1)) },
];

/** com.microsoft.FusedMatMul: `transBatch` moves the first axis before the last, then `trans` swaps the last two. */
const fusedMatMul: ShapeRule = (node) => {
  const operand = (slot: number, side: "A" | "B"): readonly number[] => {
    let dims = node.dims(slot);
    if (dims.length < 2) return dims;
    if (node.int(`transBatch${side}`, 0) === 1) dims = [...dims.slice(1, -1), dims[0]!, dims.at(-1)!];
    return node.int(`trans${side}`, 0) === 1 ? transposed(dims) : dims;
  };
  return [{ type: node.type(0), dims: product(node, operand(0, "A"), operand(1, "B")) }];
};

const gemm: ShapeRule = (node) => {
  const operand = (slot: number, trans: string): readonly number[] => {
    const dims = node.dims(slot);
    if (dims.length !== 2) node.fail(`input ${slot} to be a matrix`);
    return node.int(trans, 0) === 1 ? transposed(dims) : dims;
  };
  const dims = product(node, operand(0, "transA"), operand(1, "transB"));
  const bias = node.optional(2);
  if (bias !== undefined && `${broadcast(node, dims, bias.dims)}` !== `${dims}`) {
    node.fail(`input 2 to broadcast to [${dims}]`);
  }
  return [{ type: node.type(0), dims }];
};

/** Operators that contract an axis of one tensor with one of another. */
export const matrixProductRules: ShapeRules = {
  MatMul: matMul,
  Gemm: gemm,
  Einsum: einsum,
  MatMulInteger: matMulInteger,
  "com.microsoft::MatMulIntegerToFloat": matMulIntegerToFloat,
  "com.microsoft::FusedMatMul": fusedMatMul,
  "com.microsoft::TransposeMatMul": fusedMatMul,
};
