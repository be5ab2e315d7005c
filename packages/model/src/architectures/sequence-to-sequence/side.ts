import { type ConfigReader, configLimits } from "../../checkpoint/index.js";
import type { AttentionShape } from "../blocks/attention.js";

/** One half of a model; the prefix of its modules and config fields. */
export type Side = "encoder" | "decoder";

/**
 * The shape of a side, with its own numbers of layers and heads. Heads divide `d_model`.
 *
 * @throws RR_CONFIG unless they do
 */
export function shapeOfSide(config: ConfigReader, side: Side): AttentionShape {
  const layers = config.integer(`${side}_layers`, { max: configLimits.layers });
  const heads = config.integer(`${side}_attention_heads`, { max: 2 ** 16 });
  const width = config.integer("d_model");
  if (width % heads !== 0) {
    throw config.error(
      `expected "d_model" to be a multiple of "${side}_attention_heads", got ${width} and ${heads}`,
    );
  }
  return { layers, width, heads, keyValueHeads: heads, headDim: width / heads };
}
