import type { Architecture } from "../architecture.js";
import type { Sublayer } from "../blocks/decoder.js";
import { rotaryBuffers } from "../blocks/rotary.js";
import { graniteExperts, sharedFeedForward, sum } from "../experts/granite-moe.js";
import { buildGranite } from "../llama/granite.js";
import { hybridMamba } from "./bamba.js";
import { recurrentLayers } from "./recurrent-layers.js";

/**
 * https://www.ibm.com/granite/docs/models/granite: Granite 4.0. Most of its models have Mamba 2 in most layers; experts
 * and rotary positions depend on the config.
 */
export const graniteMoeHybrid: Architecture = {
  build(context) {
    const { config } = context;
    const inner = config.integer("shared_intermediate_size", { default: 1024 });
    const experts = config.integer("num_local_experts", { min: 0, default: 8 });
    const isRecurrent = recurrentLayers(config, () => true);
    buildGranite(
      context,
      (width) => {
        const shared = sharedFeedForward(context, width, inner);
        return experts === 0 ? shared : sum(context, graniteExperts(context, width), shared);
      },
      {
        rotates: config.optionalString("position_embedding_type") === "rope",
        replace: (attention, step, width) => {
          // Not before the first layer that needs it: a model without such layers may have invalid sizes for it.
          let mixer: Sublayer | undefined;
          return (x, layer) => {
            if (!isRecurrent(layer.index)) return attention(x, layer);
            mixer ??= hybridMamba(context, { step, width, epsilon: 1e-6 });
            return mixer(x, layer);
          };
        },
      },
    );
  },
  ignoredTensors: rotaryBuffers,
};
