import type { Architecture, ModelContext } from "../architecture.js";
import { type AttentionShape, multiHeadShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { feedForwards } from "../blocks/feed-forward.js";
import { layerNorms } from "../blocks/norms.js";
import { type ProjectHeads, separateProjections } from "../blocks/query-key-value.js";
import { rotaryAngles } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";
import { gptModules } from "./gpt-modules.js";

/** https://github.com/kingoflolz/mesh-transformer-jax */
export const gptj: Architecture = {
  build(context) {
    buildGptj(context, (shape) => separateProjections(context, shape, false));
  },
  // Older checkpoints store the causal mask and its fill value as buffers.
  ignoredTensors: [/\.attn\.(bias|masked_bias)$/],
};

/**
 * Attention and feed-forward are parallel, after one norm; the first `rotary_dim` lanes rotate, neighbours as pairs;
 * the logits have a bias.
 *
 * @param heads projects to queries, keys and values
 */
export function buildGptj(context: ModelContext, heads: (shape: AttentionShape) => ProjectHeads): void {
  const { g, config } = context;
  const shape = multiHeadShape(config);
  const { width, headDim } = shape;
  const step = causalStep(g);
  const angles = rotaryAngles(context, step.positionIds, headDim, {
    lanes: config.integer("rotary_dim", { default: 64 }),
    interleaved: true,
  });
  buildDecoder(context, {
    step,
    shape,
    modules: gptModules,
    parallel: true,
    norm: layerNorms(context, {
      width,
      epsilon: config.number("layer_norm_epsilon", { min: 0, default: 1e-5 }),
    }),
    norms: { attention: { before: "ln_1" }, feedForward: { before: "ln_1" } },
    attention: selfAttention(context, {
      step,
      shape,
      module: "attn",
      heads: heads(shape),
      output: "out_proj",
      angles: () => angles,
    }),
    feedForward: feedForwards(context, {
      up: "mlp.fc_in",
      down: "mlp.fc_out",
      width,
      inner: config.optionalInteger("n_inner") ?? 4 * width,
      activation: config.string("activation_function", { default: "gelu_new" }),
    }),
    headBias: true,
  });
}
