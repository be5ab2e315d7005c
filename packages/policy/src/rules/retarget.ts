import type { GraphNode } from "@ringrank/model";
import { type Dim, sizeOf } from "../factors/factor.js";
import { int64Tensor } from "../graph/constants.js";
import { makeNode } from "../graph/make-node.js";
import { isOne, isStatic, type SizePair } from "../shapes/size-pair.js";
import { onShare } from "./on-share.js";
import type { Localization, Operator } from "./rule.js";

/**
 * A node whose input `slot` spells out its output shape, with the sharded sizes made local. Shape arithmetic stays
 * global, so a computed target is scaled where it is consumed; −1, 0 and broadcast 1 stay.
 *
 * @param outputs the dimensions that the input spells out
 */
export function retarget(
  operator: Operator,
  local: Localization,
  slot: number,
  outputs: readonly Dim[] = local.outputDims(0),
): GraphNode[] {
  const node = onShare(operator, local);
  const target = operator.inputs[slot];
  if (!outputs.some((dim) => local.isSharded(dim)) || target === undefined) return [node];
  const contents = target.contents;
  const entries = outputs.map((dim, axis) => entry(dim, contents?.[axis], local));
  const reading = (name: string): GraphNode => ({ ...node, inputs: node.inputs.with(slot, name) });
  if (contents !== undefined && entries.every((one) => one.fixed !== undefined))
    return [reading(local.constant(int64Tensor(entries.map((one) => one.fixed!))))];
  const scaled = local.value();
  const up = local.constant(int64Tensor(entries.map((one) => one.times)));
  const down = local.constant(int64Tensor(entries.map((one) => one.by)));
  const whole = local.value();
  return [
    makeNode("Mul", [local.input(slot), up], whole),
    makeNode("Div", [whole, down], scaled),
    reading(scaled),
  ];
}

/** One entry of a target: its local value if that is known during planning, and the ratio by which it is scaled. */
function entry(
  dim: Dim,
  content: SizePair | undefined,
  local: Localization,
): { fixed?: number; times: number; by: number } {
  const placeholder = content !== undefined && isStatic(content) && content[0] <= 0;
  if (placeholder || !local.isSharded(dim)) {
    return { times: 1, by: 1, ...(content !== undefined && isStatic(content) ? { fixed: content[0] } : {}) };
  }
  if (content !== undefined && isOne(content)) return { fixed: 1, times: 1, by: 1 };
  const size = local.size(dim);
  const whole = sizeOf(dim);
  const ratio = { times: size[0], by: whole[0] };
  return isStatic(size) && content !== undefined && isStatic(content) ? { ...ratio, fixed: size[0] } : ratio;
}
