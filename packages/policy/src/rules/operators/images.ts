import { intAttribute, stringAttribute } from "@ringrank/model";
import { type Dim, freshDim, sizeOf } from "../../factors/factor.js";
import { isOne, sameSize } from "../../shapes/size-pair.js";
import { retarget } from "../retarget.js";
import type { Operator, Rule, Rules } from "../rule.js";
import { wholeDim } from "../whole.js";

/** Interpolates along scaled axes, so these stay whole; the others are unchanged. */
const resize: Rule = {
  propagate(operator, factors) {
    const sizes = operator.outputs[0]!.dims;
    const why = "interpolated along";
    const out = factors.input(0).map((dim, axis): Dim => {
      if (sameSize(sizeOf(dim), sizes[axis]!) && !isScaled(operator, axis)) return dim;
      factors.whole(dim, why);
      return wholeDim(sizes[axis]!, factors, why);
    });
    return [out];
  },
  // Scales are ratios, which are valid for any part; sizes are explicit, and made local.
  localize: (operator, local) => retarget(operator, local, 3),
};

/**
 * Whether an axis of unchanged size may be scaled nevertheless: 4 channels times 1.2 are still 4. Also true if axes are
 * named, or sizes are bounded together, since entries then do not correspond to axes one by one.
 */
function isScaled({ node, inputs }: Operator, axis: number): boolean {
  const policy = stringAttribute(node, "keep_aspect_ratio_policy", "stretch");
  if (node.attributes.axes !== undefined || policy !== "stretch") return true;
  const scale = inputs[2]?.contents?.[axis];
  return scale !== undefined && !isOne(scale);
}

/** Lays out blocks of channels as squares; the remaining channels are independent. */
const depthToSpace: Rule = {
  propagate(operator, factors) {
    const [batch, channels, ...spatial] = factors.input(0);
    const sizes = operator.outputs[0]!.dims;
    const why = "channels laid out along it";
    const side = intAttribute(operator.node, "blocksize", 1);
    const block = wholeDim([side * side, side * side], factors, why);
    const left = freshDim(sizes[1]!);
    const isMinor = stringAttribute(operator.node, "mode", "DCR") === "CRD";
    factors.unify(channels!, isMinor ? [...left, ...block] : [...block, ...left]);
    for (const dim of spatial) factors.whole(dim, why);
    return [[batch!, left, ...sizes.slice(2).map((size) => wholeDim(size, factors, why))]];
  },
};

/** The inverse: squares of the image become blocks of channels, which are major to the previous channels. */
const spaceToDepth: Rule = {
  propagate(operator, factors) {
    const [batch, channels, ...spatial] = factors.input(0);
    const why = "laid out as channels";
    const side = intAttribute(operator.node, "blocksize", 1);
    for (const dim of spatial) factors.whole(dim, why);
    const block = wholeDim([side * side, side * side], factors, why);
    const sizes = operator.outputs[0]!.dims.slice(2);
    return [[batch!, [...block, ...channels!], ...sizes.map((size) => wholeDim(size, factors, why))]];
  },
};

/** Samples every channel at the same positions. */
const gridSample: Rule = {
  propagate(operator, factors) {
    const [batch, channels, ...spatial] = factors.input(0);
    const [gridBatch, ...grid] = factors.input(1);
    factors.unify(batch!, gridBatch!);
    const why = "read at computed places";
    for (const dim of [...spatial, ...grid]) factors.whole(dim, why);
    const sizes = operator.outputs[0]!.dims.slice(2);
    return [[batch!, channels!, ...sizes.map((size) => wholeDim(size, factors, why))]];
  },
};

export const imageRules: Rules = {
  Resize: resize,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  GridSample: gridSample,
};
