import type { Architecture } from "../architecture.js";
import { multiHeadShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { feedForwards } from "../blocks/feed-forward.js";
import { layerNorms } from "../blocks/norms.js";
import { fusedProjection, splitGroups } from "../blocks/query-key-value.js";
import { partialRotaryLanes, rotaryAngles } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";

/**
 * A fused projection, rotary positions on a quarter of the lanes; attention and feed-forward are parallel, each with a
 * norm of its own, unless `use_parallel_residual` is false. https://arxiv.org/abs/2204.06745
 */
export const gptNeox: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = multiHeadShape(config);
    const { width, headDim } = shape;
    const bias = config.boolean("attention_bias", { default: true });
    const step = causalStep(g);
    const lanes = partialRotaryLanes(config, headDim, 0.25);
    const angles = rotaryAngles(context, step.positionIds, headDim, { lanes });
    buildDecoder(context, {
      step,
      shape,
      modules: {
        embedding: "gpt_neox.embed_in",
        layers: "gpt_neox.layers",
        lastNorm: "gpt_neox.final_layer_norm",
        head: "embed_out",
      },
      parallel: config.boolean("use_parallel_residual", { default: true }),
      norm: layerNorms(context, {
        width,
        epsilon: config.number("layer_norm_eps", { min: 0, default: 1e-5 }),
      }),
      attention: selfAttention(context, {
        step,
        shape,
        module: "attention",
        heads: fusedProjection(context, shape, { name: "query_key_value", bias, split: splitGroups }),
        output: "dense",
        outputBias: bias,
        angles: () => angles,
      }),
      feedForward: feedForwards(context, {
        up: "mlp.dense_h_to_4h",
        down: "mlp.dense_4h_to_h",
        width,
        inner: config.integer("intermediate_size"),
        activation: config.string("hidden_act", { default: "gelu" }),
      }),
    });
  },
  // Older checkpoints store the causal mask, its fill value and rotary frequencies as buffers.
  ignoredTensors: [/\.attention\.(bias|masked_bias|rotary_emb\.inv_freq)$/],
};
