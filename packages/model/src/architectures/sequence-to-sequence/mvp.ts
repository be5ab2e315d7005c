import type { Architecture, ModelContext } from "../architecture.js";
import type { AttentionShape } from "../blocks/attention.js";
import { linear } from "../blocks/projections.js";
import type { Prompt } from "../blocks/prompt.js";
import { bartIgnored, buildBart } from "./bart-frame.js";
import { tabulatedPlaces } from "./positions.js";

/** BART, trained on many tasks; if the config says so, with prompts for one of them. https://arxiv.org/abs/2206.12131 */
export const mvp: Architecture = {
  build(context) {
    const usesPrompts = context.config.boolean("use_prompt", { default: false });
    buildBart(context, {
      places: tabulatedPlaces(context, 2),
      norms: "after",
      embeddingNorm: true,
      ...(usesPrompts && { prompts: (module, shape) => layerPrompts(context, module, shape) }),
    });
  },
  ignoredTensors: bartIgnored,
};

/**
 * The prompts of all layers, which a feed-forward makes of one table.
 *
 * ```
 *   [length, width] → GELU → [length, layers · (key, value) · heads · headDim]
 * ```
 */
function layerPrompts(
  context: ModelContext,
  module: string,
  { layers, width, heads, headDim }: AttentionShape,
): (layer: number) => Prompt {
  const { g, config, parameters } = context;
  const length = config.integer("prompt_length", { default: 100 });
  const inner = config.integer("prompt_mid_dim", { default: 800 });
  const table = parameters.get(`${module}.prompt_embedding.weight`, [length, width]);
  const up = linear(context, table, { name: `${module}.prompt_trans.0`, inputs: width, outputs: inner });
  const down = linear(context, g.gelu(up, "none"), {
    name: `${module}.prompt_trans.2`,
    inputs: inner,
    outputs: layers * 2 * width,
  });
  const parts = g.transpose(g.reshape(down, [length, layers * 2, heads, headDim]), [1, 2, 0, 3]);
  const part = (index: number) => g.gather(parts, g.integer(index), 0);
  return (layer) => ({ key: part(2 * layer), value: part(2 * layer + 1), length });
}
