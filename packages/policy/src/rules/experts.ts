import { intAttribute } from "@ringrank/model";
import type { Dim } from "../factors/factor.js";
import type { Operator, Propagation, Rule } from "./rule.js";
import { wholeDim } from "./whole-dim.js";

/**
 * Rows through `k` of some experts each, added up as a softmax over the router's scores says:
 *
 *     y[r] = Σ_e p[r, e] · (f(x[r] · upᵀ[e] + b[e]) · downᵀ[e] + c[e])
 *
 * The inner width of all experts is one factor, which `down` sums over. Which experts a row goes to is told by the scores
 * of all, so that these stay whole; and `c` counts on one rank.
 */
const moe: Rule = {
  propagate(operator, factors) {
    const [experts, , inner] = factors.input(4) as [Dim, Dim, Dim];
    const made = madeBy(operator, inner, factors);
    relate(operator, factors, 2, [experts, made, undefined]);
    relate(operator, factors, 3, [experts, made]);
    relate(operator, factors, 4, [experts, undefined, inner]);
    relate(operator, factors, 5, [experts, undefined]);
    return [mixed(operator, factors, experts, inner)];
  },
  addends: [5],
};

/**
 * The same with weights of few bits, several to a byte: no rank has a part of a byte, nor of a block of those that share a
 * scale.
 */
const qmoe: Rule = {
  propagate(operator, factors) {
    const { node, inputs } = operator;
    const perByte = 8 / intAttribute(node, "expert_weight_bits", 4);
    const block = intAttribute(node, "block_size", 0);
    const [experts, , bytes] = factors.input(5) as [Dim, Dim, Dim];
    const inner = inGroups(bytes, perByte, "numbers of a byte", factors);
    const made = madeBy(operator, inner, factors);
    relate(operator, factors, 2, [experts, made, undefined]);
    relate(operator, factors, 3, [experts, made, undefined]);
    relate(operator, factors, 4, [experts, made]);
    relate(operator, factors, 5, [experts, undefined, bytes]);
    relate(operator, factors, 6, [experts, undefined, factors.input(6)[2]]);
    relate(operator, factors, 7, [experts, undefined]);
    relate(operator, factors, 11, [experts, block > 0 ? made : factors.input(11)[1]]);
    relate(operator, factors, 12, [experts, undefined, factors.input(12)[2]]);
    relate(operator, factors, 14, factors.input(1));
    // A byte has zero points of several rows, or of several blocks of one row.
    if (block > 0) {
      factors.unify(inner, inGroups(factors.input(6)[2]!, block, "numbers that share a scale", factors));
      if (inputs[12] !== undefined)
        factors.unify(factors.input(6)[2]!, inGroups(factors.input(12)[2]!, perByte, bytesOfZeros, factors));
    } else if (inputs[11] !== undefined) {
      factors.unify(made, inGroups(factors.input(11)[1]!, perByte, bytesOfZeros, factors));
    }
    return [mixed(operator, factors, experts, inner)];
  },
  addends: [7],
};

const bytesOfZeros = "zero points of a byte";

/** As many groups of some that no rank has a part of. */
function inGroups(groups: Dim, size: number, why: string, factors: Propagation): Dim {
  return [...groups, ...wholeDim([size, size], factors, why)];
}

/** What `up` makes for an inner width: as many, or a gate and what is gated side by side. */
function madeBy({ node }: Operator, inner: Dim, factors: Propagation): Dim {
  const activation = node.attributes.activation_type;
  const isGated = activation?.kind === "string" && activation.value === "swiglu";
  return isGated ? [...inner, ...wholeDim([2, 2], factors, "a gate beside what it gates")] : inner;
}

/** Rows as they came in, owed a sum over the inner width. */
function mixed(operator: Operator, factors: Propagation, experts: Dim, inner: Dim): readonly Dim[] {
  const x = factors.input(0);
  factors.unify(factors.input(1)[0]!, x.slice(0, -1).flat());
  factors.unify(factors.input(1)[1]!, experts);
  const top = intAttribute(operator.node, "k", 1);
  factors.whole(experts, `rows go to the best ${top} of all experts`);
  factors.whole(x.at(-1)!, "all experts read whole rows");
  factors.contract(inner);
  return x;
}

/** Relates the axes of an input to dimensions that are known; others are needed whole. */
function relate(
  { inputs }: Operator,
  factors: Propagation,
  slot: number,
  known: readonly (Dim | undefined)[],
): void {
  if (inputs[slot] === undefined) return;
  factors.input(slot).forEach((dim, axis) => {
    const other = known[axis];
    if (other === undefined) factors.whole(dim, "all experts read and give whole rows");
    else factors.unify(dim, other);
  });
}

/** Feed-forwards of experts in one operator. */
export const expertRules: Readonly<Record<string, Rule>> = {
  "com.microsoft::MoE": moe,
  "com.microsoft::QMoE": qmoe,
};
