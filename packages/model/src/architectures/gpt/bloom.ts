import type { Architecture } from "../architecture.js";
import { alibi } from "../blocks/alibi.js";
import { multiHeadShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { feedForwards } from "../blocks/feed-forward.js";
import { layerNorms } from "../blocks/norms.js";
import { fusedProjection, splitGroups } from "../blocks/query-key-value.js";
import { selfAttention } from "../blocks/self-attention.js";

/** ALiBi, a fused projection `[head, (q, k, v), lane]`, a norm after the embedding. https://arxiv.org/abs/2211.05100 */
export const bloom: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = multiHeadShape(config);
    const { width, heads } = shape;
    const epsilon = config.number("layer_norm_epsilon", { min: 0, default: 1e-5 });
    const norm = layerNorms(context, { width, epsilon });
    const step = causalStep(g);
    buildDecoder(context, {
      step,
      shape,
      modules: {
        embedding: "transformer.word_embeddings",
        layers: "transformer.h",
        lastNorm: "transformer.ln_f",
        head: "lm_head",
      },
      enter: (tokens) => norm(tokens, "transformer.word_embeddings_layernorm"),
      norm,
      addToNormed: config.boolean("apply_residual_connection_post_layernorm", { default: false }),
      attention: selfAttention(context, {
        step,
        shape,
        module: "self_attention",
        heads: fusedProjection(context, shape, { name: "query_key_value", split: splitGroups }),
        output: "dense",
        outputBias: true,
        angles: () => undefined,
        scoreBias: (cache) => alibi(g, cache, heads),
      }),
      feedForward: feedForwards(context, {
        up: "mlp.dense_h_to_4h",
        down: "mlp.dense_4h_to_h",
        width,
        inner: 4 * width,
        activation: "gelu_new",
      }),
      tiedByDefault: true,
    });
  },
};
