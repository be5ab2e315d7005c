import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { attentionMaskOf, type EncoderInput } from "./encoder-input.js";

/**
 * The masks that Longformer's layers add to their scores: they hide padding, and anything farther away on either side
 * than half of the layer's `attention_window`. Layers with equal windows share one.
 */
export function windowMasks({ g, config }: ModelContext, input: EncoderInput): (layer: number) => Value {
  const windows = config.optionalIntegers("attention_window") ?? [512];
  const masks = new Map<number, Value>();
  return (layer) => {
    const window = windows.length === 1 ? windows[0] : windows[layer];
    if (window === undefined || window % 2 !== 0) {
      throw config.error(
        `expected "attention_window" to give layer ${layer} an even number, got ${window ?? "none"}`,
      );
    }
    const mask = masks.get(window) ?? attentionMaskOf(g, input, window / 2);
    masks.set(window, mask);
    return mask;
  };
}
