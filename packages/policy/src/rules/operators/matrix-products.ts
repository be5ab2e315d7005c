import { intAttribute } from "@ringrank/model";
import type { Dim } from "../../factors/factor.js";
import { isOne } from "../../shapes/size-pair.js";
import { broadcast } from "../broadcast.js";
import type { Operator, Propagation, Rule, Rules } from "../rule.js";
import { wholeEverything } from "../whole.js";
import { einsum } from "./einsum.js";

/** `[…, i, k] × […, k, j] → […, i, j]`: contracts k; leading dimensions broadcast. Linear in either operand. */
const matmul: Rule = {
  propagate: (_operator, factors) => [product(factors, false, false)],
  linearity: { kind: "one", slots: [0, 1] },
};

/** MatMul with optional transposition of either operand, and a scale. */
const fusedMatMul: Rule = {
  propagate(operator, factors) {
    const { node } = operator;
    if (["transBatchA", "transBatchB"].some((name) => intAttribute(node, name, 0) !== 0))
      return [wholeEverything(operator, factors, "batch transposed")[0]!];
    return [product(factors, intAttribute(node, "transA", 0) !== 0, intAttribute(node, "transB", 0) !== 0)];
  },
  linearity: { kind: "one", slots: [0, 1] },
};

/** `alpha · A·B + beta · C` on matrices. If the product is owed, C only counts on one rank. */
const gemm: Rule = {
  propagate(operator, factors) {
    const { node } = operator;
    const out = product(
      factors,
      intAttribute(node, "transA", 0) !== 0,
      intAttribute(node, "transB", 0) !== 0,
    );
    if (operator.inputs[2] !== undefined) return [broadcast([out, factors.input(2)], factors)];
    return [out];
  },
  addends: [2],
};

/**
 * Products of integers, from which zero points are subtracted: one for all, or one per row of A and per column of B.
 * Partial sums are exact, since they are int32.
 *
 * @param figures slots of zero points and scales of A and of B: one for all, or one per row and per column
 */
function integerProduct(figures: readonly [readonly number[], readonly number[]], addends?: number[]): Rule {
  return {
    propagate(operator, factors) {
      const out = product(factors, false, false);
      const [ofRows, ofColumns] = figures;
      for (const slot of ofRows) relateFigures(slot, factors.input(0), -2, operator, factors);
      for (const slot of ofColumns) relateFigures(slot, factors.input(1), -1, operator, factors);
      for (const slot of addends ?? [])
        if (operator.inputs[slot] !== undefined) broadcast([out, factors.input(slot)], factors);
      return [out];
    },
    ...(addends === undefined ? {} : { addends }),
  };
}

/** The figures of a stack of matrices are a stack too, with size 1 for the axis that is summed over. */
function relateFigures(
  slot: number,
  matrix: readonly Dim[],
  axis: number,
  { inputs }: Operator,
  factors: Propagation,
): void {
  if (inputs[slot] === undefined || inputs[slot].dims.every(isOne)) return;
  const figures = factors.input(slot);
  if (figures.length === 1) factors.unify(figures[0]!, matrix.at(axis)!);
  else broadcast([matrix, figures], factors);
}

function product(factors: Propagation, transA: boolean, transB: boolean): Dim[] {
  const a = [...factors.input(0)];
  const b = [...factors.input(1)];
  // 1-D operands: a row on the left, a column on the right, and the dimension is not in the result.
  const leftIsVector = a.length === 1;
  const rightIsVector = b.length === 1;
  if (leftIsVector) a.unshift([]);
  if (rightIsVector) b.push([]);
  const [i, k] = lastTwo(a, transA);
  const [k2, j] = lastTwo(b, transB);
  factors.unify(k, k2);
  factors.contract(k);
  const batch = broadcast([a.slice(0, -2), b.slice(0, -2)], factors);
  return [...batch, ...(leftIsVector ? [] : [i]), ...(rightIsVector ? [] : [j])];
}

function lastTwo(dims: readonly Dim[], transposed: boolean): [Dim, Dim] {
  const [major, minor] = dims.slice(-2) as [Dim, Dim];
  return transposed ? [minor, major] : [major, minor];
}

export const matrixProductRules: Rules = {
  MatMul: matmul,
  "com.microsoft::FusedMatMul": fusedMatMul,
  "com.microsoft::TransposeMatMul": fusedMatMul,
  MatMulInteger: integerProduct([[2], [3]]),
  "com.microsoft::MatMulIntegerToFloat": integerProduct(
    [
      [2, 4],
      [3, 5],
    ],
    [6],
  ),
  Gemm: gemm,
  Einsum: einsum,
};
