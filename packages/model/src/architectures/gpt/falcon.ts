import type { Value } from "../../graph/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import { bfloat16Alibi } from "../blocks/alibi.js";
import { type AttentionShape, multiHeadShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder, type Decoder, sharedNorm } from "../blocks/decoder.js";
import { feedForwards } from "../blocks/feed-forward.js";
import { layerNorms } from "../blocks/norms.js";
import { fusedProjection, splitGroups } from "../blocks/query-key-value.js";
import { selfAttention } from "../blocks/self-attention.js";

/**
 * How often ALiBi is added to the scores. The reference, transformers 5.18 with eager attention, adds it explicitly and
 * again as part of its mask. Its SDPA attention, and the model in training, add it once.
 */
const alibiCount = 2;

/**
 * Multi-query (7B), grouped-query (40B, 180B) or multi-head attention (RW); rotary positions or ALiBi; attention and
 * feed-forward parallel, with one norm or two, or sequential in RW. https://arxiv.org/abs/2311.16867
 */
export const falcon: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = falconShape(context);
    const { width, heads, headDim } = shape;
    const bias = config.boolean("bias", { default: false });
    const step = causalStep(g);
    // Unlike in other models, ALiBi is scaled together with the scores.
    const alibiScale = (): Value => g.numbers([alibiCount / Math.sqrt(headDim)]);
    const usesAlibi = config.boolean("alibi", { default: false });
    buildDecoder(context, {
      step,
      shape,
      modules: {
        embedding: "transformer.word_embeddings",
        layers: "transformer.h",
        lastNorm: "transformer.ln_f",
        head: "lm_head",
      },
      norm: layerNorms(context, {
        width,
        epsilon: config.number("layer_norm_epsilon", { min: 0, default: 1e-5 }),
      }),
      ...residualsOf(context),
      attention: selfAttention(context, {
        step,
        shape,
        module: "self_attention",
        heads: fusedProjection(context, shape, { name: "query_key_value", bias, split: splitGroups }),
        output: "dense",
        outputBias: bias,
        ...(usesAlibi
          ? {
              angles: () => undefined,
              scoreBias: (cache) => g.mul(bfloat16Alibi(g, cache, heads), alibiScale()),
            }
          : {}),
      }),
      feedForward: feedForwards(context, {
        up: "mlp.dense_h_to_4h",
        down: "mlp.dense_4h_to_h",
        width,
        inner: config.optionalInteger("ffn_hidden_size") ?? 4 * width,
        bias,
        activation: config.string("activation", { default: "gelu" }),
      }),
      tiedByDefault: true,
    });
  },
  ignoredTensors: [/\.self_attention\.rotary_emb\.inv_freq$/],
};

function falconShape({ config }: ModelContext): AttentionShape {
  const shape = multiHeadShape(config);
  const grouped = config.boolean("new_decoder_architecture", { default: false });
  if (!grouped) {
    const oneKeyHead = config.boolean("multi_query", { default: true });
    return { ...shape, keyValueHeads: oneKeyHead ? 1 : shape.heads };
  }
  const keyValueHeads = config.integer("num_kv_heads", { max: shape.heads, default: shape.heads });
  if (shape.heads % keyValueHeads !== 0) {
    throw config.error(
      `expected "num_attention_heads" to be a multiple of "num_kv_heads", got ${shape.heads} and ${keyValueHeads}`,
    );
  }
  return { ...shape, keyValueHeads };
}

/** The norms, and whether attention and feed-forward are parallel. */
function residualsOf({ config }: ModelContext): Pick<Decoder, "parallel" | "norms"> {
  const parallel = config.boolean("parallel_attn", { default: true });
  if (!config.boolean("new_decoder_architecture", { default: false })) {
    return parallel ? { parallel, norms: sharedNorm } : {};
  }
  if (!parallel)
    throw config.error('"new_decoder_architecture" requires "parallel_attn" to be true, got false');
  const norms = config.integer("num_ln_in_parallel_attn", { max: 2, default: 2 });
  return {
    parallel,
    norms: norms === 1 ? sharedNorm : { attention: { before: "ln_attn" }, feedForward: { before: "ln_mlp" } },
  };
}
