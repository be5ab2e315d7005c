import { intsAttribute } from "@ringrank/model";
import { freshDim } from "../../factors/factor.js";
import { int64Tensor } from "../../graph/constants.js";
import { makeNode } from "../../graph/make-node.js";
import { isOne } from "../../shapes/size-pair.js";
import { onShare } from "../on-share.js";
import { retarget } from "../retarget.js";
import type { Rule, Rules } from "../rule.js";

/**
 * Operators that keep the elements in order and only regroup them: the product of all input dimensions is the
 * product of all output dimensions, matched from both ends.
 */
function regroup(targetSlot?: number): Rule {
  return {
    propagate(operator, factors) {
      const out = operator.outputs[0]!.dims.map(freshDim);
      factors.unify(factors.input(0).flat(), out.flat());
      return [out];
    },
    linearity: { kind: "one", slots: [0] },
    ...(targetSlot === undefined
      ? {}
      : { localize: (operator, local) => retarget(operator, local, targetSlot) }),
  };
}

/** The whole shape determines which axes are removed: an axis of several units may have size 1 on a rank. */
const squeeze: Rule = {
  ...regroup(),
  localize(operator, local) {
    const { node, inputs } = operator;
    const listed = intsAttribute(node, "axes") ?? inputs[1]?.contents ?? [];
    if (listed.length > 0 || !local.inputDims(0).some((dim) => local.isSharded(dim)))
      return [onShare(operator, local)];
    const axes = inputs[0]!.dims.flatMap((size, axis) => (isOne(size) ? [axis] : []));
    if (axes.length === 0) return [makeNode("Identity", [local.input(0)], local.output(0))];
    return [{ ...onShare(operator, local), inputs: [local.input(0), local.constant(int64Tensor(axes))] }];
  },
};

export const reshapingRules: Rules = {
  Reshape: regroup(1),
  Flatten: regroup(),
  Squeeze: squeeze,
  Unsqueeze: regroup(),
};
