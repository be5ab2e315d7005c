import { intAttribute, stringAttribute } from "@ringrank/model";
import type { Dim } from "../../factors/factor.js";
import { makeNode } from "../../graph/make-node.js";
import { onShare } from "../on-share.js";
import type { Operator, Propagation, Rule, Rules } from "../rule.js";
import { wholeDim } from "../whole.js";

/**
 * Each row goes through `k` of the experts, whose results are weighted by a softmax over the router's scores and
 * summed:
 *
 *     y[r] = Σ_e p[r, e] · (f(x[r] · upᵀ[e] + b[e]) · downᵀ[e] + c[e])
 *
 * The inner width of all experts is one factor, which `down` sums over. Experts are chosen by comparing all scores, so
 * the scores stay whole. `c` counts on one rank.
 */
const moe: Rule = {
  propagate(operator, factors) {
    const [experts, , inner] = factors.input(4) as [Dim, Dim, Dim];
    const made = madeBy(operator, inner, factors);
    relate(operator, factors, 2, [experts, made, "whole"]);
    relate(operator, factors, 3, [experts, made]);
    relate(operator, factors, 4, [experts, "whole", inner]);
    relate(operator, factors, 5, [experts, "whole"]);
    return [mixed(operator, factors, experts, inner)];
  },
  addends: [5],
  summed: [4],
  /**
   * In ONNX Runtime 1.30, the kernel may write its output over its rows if no later node reads them, and then reads
   * rows that it has overwritten. So this adds a later node that reads them.
   */
  localize(operator, local) {
    const node = onShare(operator, local);
    const output = operator.outputs[0]!;
    const made = local.value({ type: output.type, dims: local.outputDims(0) });
    const always = local.constant({ type: "bool", dims: [], data: Uint8Array.of(1) });
    return [{ ...node, outputs: [made] }, makeNode("Where", [always, made, local.input(0)], local.output(0))];
  },
};

/**
 * The same with low-bit weights, several per byte. Ranks split neither a byte nor a block of weights that share a
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
    relate(operator, factors, 2, [experts, made, "whole"]);
    relate(operator, factors, 3, [experts, made, "whole"]);
    relate(operator, factors, 4, [experts, made]);
    relate(operator, factors, 5, [experts, "whole", bytes]);
    relate(operator, factors, 6, [experts, "whole", "its own"]);
    relate(operator, factors, 7, [experts, "whole"]);
    relate(operator, factors, 11, [experts, block > 0 ? made : "its own", "whole"]);
    relate(operator, factors, 12, [experts, "whole", "its own"]);
    relate(operator, factors, 14, factors.input(1));
    // A byte holds zero points of several rows, or of several blocks of one row.
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
  summed: [5, 6, 12],
};

const bytesOfZeros = "zero points of a byte";

/** A dimension of `groups` groups of `size` elements, which are not split. */
function inGroups(groups: Dim, size: number, why: string, factors: Propagation): Dim {
  return [...groups, ...wholeDim([size, size], factors, why)];
}

/** The outputs of `up` for an inner width: the inner width itself or, with gates, twice as many, in pairs. */
function madeBy({ node }: Operator, inner: Dim, factors: Propagation): Dim {
  const isGated = stringAttribute(node, "activation_type", "relu") === "swiglu";
  return isGated ? [...inner, ...wholeDim([2, 2], factors, "a gate beside what it gates")] : inner;
}

/** The output: rows like the input's, with a sum over the inner width owed. */
function mixed(operator: Operator, factors: Propagation, experts: Dim, inner: Dim): readonly Dim[] {
  const x = factors.input(0);
  factors.unify(factors.input(1)[0]!, x.slice(0, -1).flat());
  factors.unify(factors.input(1)[1]!, experts);
  const top = intAttribute(operator.node, "k", 1);
  factors.readsSome(experts, top);
  factors.whole(experts, `rows go to the best ${top} of all experts`);
  factors.whole(x.at(-1)!, "all experts read whole rows");
  factors.contract(inner);
  return x;
}

/**
 * Relates the axes of an input, if it is present: each to a known dimension, to `whole` if it may not be split, or to
 * nothing if it is related elsewhere.
 */
function relate(
  { inputs }: Operator,
  factors: Propagation,
  slot: number,
  axes: readonly (Dim | "whole" | "its own")[],
): void {
  if (inputs[slot] === undefined) return;
  factors.input(slot).forEach((dim, axis) => {
    const meant = axes[axis]!;
    if (meant === "whole") factors.whole(dim, "all experts read and give whole rows");
    else if (meant !== "its own") factors.unify(dim, meant);
  });
}

/** Operators that contain the feed-forwards of experts. */
export const expertRules: Rules = {
  "com.microsoft::MoE": moe,
  "com.microsoft::QMoE": qmoe,
};
