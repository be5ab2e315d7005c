import { int, intAttribute } from "@ringrank/model";
import { freshDim, sizeOf } from "../../factors/factor.js";
import { onShare } from "../on-share.js";
import type { Operator, Rule, Rules } from "../rule.js";
import { wholeDim } from "../whole.js";

/**
 * Rotary embedding rotates pairs of lanes by an angle per position (Su et al., arXiv:2104.09864), in the same way for
 * all heads. Lanes stay whole because of the pairs. Heads are an axis of `[batch, heads, sequence, lanes]`, or joined
 * with their lanes in `[batch, sequence, heads·lanes]`; then an attribute counts them.
 *
 * @param cosines the input whose last size is half the number of rotated lanes
 */
function rotaryEmbedding(cosines: number): Rule {
  return {
    propagate(operator, factors) {
      const input = factors.input(0);
      operator.inputs.slice(1).forEach((operand, index) => {
        if (operand !== undefined) for (const dim of factors.input(index + 1)) factors.whole(dim, "angles");
      });
      if (input.length === 4) {
        factors.whole(input[3]!, "turned in pairs");
        return [input];
      }
      const joined = input.at(-1)!;
      const count = headCount(operator, cosines);
      if (count === undefined) {
        factors.whole(joined, "lanes of heads of unknown size");
        return [input];
      }
      const heads = freshDim([count, count]);
      const lane = sizeOf(joined)[0] / count;
      const lanes = wholeDim([lane, lane], factors, "turned in pairs");
      factors.unify(joined, [...heads, ...lanes]);
      factors.cut([heads]);
      return [[...input.slice(0, -1), joined]];
    },
    localize(operator, local) {
      const [heads] = local.cut();
      const counted = intAttribute(operator.node, "num_heads", 0) > 0;
      if (heads === undefined || !counted || !local.isSharded(heads)) return [onShare(operator, local)];
      return [onShare(operator, local, { num_heads: int(local.size(heads)[0]) })];
    },
  };
}

/** The number of heads that are joined with their lanes: from the attribute, or from the number of angles. */
function headCount({ node, inputs }: Operator, cosines: number): number | undefined {
  const width = inputs[0]!.dims.at(-1)!;
  const said = intAttribute(node, "num_heads", 0);
  const half = inputs[cosines]?.dims.at(-1);
  const count = said > 0 ? said : half === undefined ? 0 : width[0] / (2 * half[0]);
  return Number.isInteger(count) && count > 0 && Number.isInteger(width[0] / count) ? count : undefined;
}

export const rotaryRules: Rules = {
  RotaryEmbedding: rotaryEmbedding(1),
  "com.microsoft::RotaryEmbedding": rotaryEmbedding(2),
};
