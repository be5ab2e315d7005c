import { type Dim, freshDim } from "../factors/factor.js";
import { intAttribute } from "./attributes.js";
import { broadcast } from "./elementwise.js";
import type { Operator, Propagation, Rule } from "./rule.js";

/** `[…, i, k] × […, k, j] → […, i, j]`: contracts k; leading dimensions broadcast. Linear in either operand. */
const matmul: Rule = {
  propagate: (_operator, factors) => [product(factors, false, false)],
  linearity: { kind: "one", slots: [0, 1] },
};

/** MatMul with either operand transposed in place, and a scale. */
const fusedMatMul: Rule = {
  propagate(operator, factors) {
    const { node } = operator;
    for (const side of ["A", "B"]) {
      if (intAttribute(node, `transBatch${side}`, 0) !== 0) {
        for (const slot of [0, 1])
          for (const dim of factors.input(slot)) factors.whole(dim, "batch transposed");
      }
    }
    return [product(factors, intAttribute(node, "transA", 0) !== 0, intAttribute(node, "transB", 0) !== 0)];
  },
  linearity: { kind: "one", slots: [0, 1] },
};

/** `alpha · A·B + beta · C` on matrices. C counts on one rank only where the product is owed. */
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
};

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

/** `ab,bc->ac`: one dimension per letter; letters absent from the result are contracted. */
const einsum: Rule = {
  propagate(operator, factors) {
    const equation = operator.node.attributes.equation;
    const text = equation?.kind === "string" ? equation.value.replaceAll(" ", "") : "";
    const [left = "", right] = text.split("->");
    const terms = left.split(",");
    if (right === undefined || text.includes("."))
      return wholeEverything(operator, factors, "an implicit or elliptic equation");
    const letters = new Map<string, Dim>();
    terms.forEach((term, slot) => {
      [...term].forEach((letter, axis) => {
        const mine = factors.input(slot)[axis]!;
        const known = letters.get(letter);
        if (known === undefined) letters.set(letter, mine);
        else factors.unify(known, mine);
      });
    });
    for (const [letter, dim] of letters) if (!right.includes(letter)) factors.contract(dim);
    return [[...right].map((letter) => letters.get(letter)!)];
  },
  linearity: { kind: "one", slots: [0, 1] },
};

/** All inputs unsplit and nothing known about the outputs: for forms of an operator that a rule does not cover. */
export function wholeEverything(operator: Operator, factors: Propagation, why: string): Dim[][] {
  operator.inputs.forEach((operand, slot) => {
    if (operand !== undefined) for (const dim of factors.input(slot)) factors.whole(dim, why);
  });
  return freshOutputs(operator, factors, why);
}

/** Outputs related to nothing, which no rank may split. */
export function freshOutputs(operator: Operator, factors: Propagation, why: string): Dim[][] {
  return operator.outputs.map((operand) =>
    (operand?.dims ?? []).map((size) => {
      const dim = freshDim(size);
      factors.whole(dim, why);
      return dim;
    }),
  );
}

export const matmulRules: Readonly<Record<string, Rule>> = {
  MatMul: matmul,
  "com.microsoft::FusedMatMul": fusedMatMul,
  Gemm: gemm,
  Einsum: einsum,
};
