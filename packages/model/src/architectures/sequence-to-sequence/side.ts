import { type ConfigReader, configLimits } from "../../checkpoint/index.js";
import type { AttentionShape } from "../blocks/attention.js";

/** Half of a model; first part of the names of its modules and fields. */
export type Side = "encoder" | "decoder";

/**
 * The shape of a side whose layers and heads the config counts apart, and whose heads share out `d_model`.
 *
 * @throws RR_CONFIG unless they fit one another.
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
