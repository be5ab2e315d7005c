import type { Architecture } from "../architecture.js";
import { windowMasks } from "../blocks/attention-windows.js";
import { encoderSelfAttention } from "../blocks/encoder-attention.js";
import { bartIgnored, buildBart } from "./bart-frame.js";
import { tabulatedPlaces } from "./positions.js";

/** BART with Longformer's encoder, without global attention. https://arxiv.org/abs/2004.05150 */
export const led: Architecture = {
  build(context) {
    const model = "led";
    buildBart(context, {
      model,
      places: tabulatedPlaces(context, 0, {
        model,
        fieldOf: (side) => `max_${side}_position_embeddings`,
      }),
      norms: "after",
      embeddingNorm: true,
      isScaled: false,
      attention(input, shape) {
        const maskOf = windowMasks(context, input);
        return (x, prefix, layer) => {
          const module = `${prefix}.longformer_self_attn`;
          const modules = {
            query: `${module}.query`,
            key: `${module}.key`,
            value: `${module}.value`,
            output: `${prefix}.output`,
          };
          return encoderSelfAttention(context, x, { modules, shape, biases: [maskOf(layer)] });
        };
      },
    });
  },
  maxContext: (config) => config.integer("max_decoder_position_embeddings"),
  maxSource: (config) => config.integer("max_encoder_position_embeddings"),
  ignoredTensors: [...bartIgnored, /\.longformer_self_attn\.(query|key|value)_global\./],
};
