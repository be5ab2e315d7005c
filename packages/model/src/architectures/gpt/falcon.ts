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
 * How often ALiBi counts. The reference here is transformers 5.18 with eager attention, which adds it to the scores
 * and, by its mask, once more. Its SDPA attention, and the model as it was trained, add it once.
 */
const alibiCount = 2;

/**
 * One key head (7B), several (40B, 180B), or one per query head (RW); rotary positions or ALiBi; attention and
 * feed-forward side by side behind one norm or two, or, in RW, one after the other.
 * https://arxiv.org/abs/2311.16867
 */
export const falcon: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = falconShape(context);
    const { width, heads, headDim } = shape;
    const bias = config.boolean("bias", { default: false });
    const step = causalStep(g);
    // Unlike elsewhere, ALiBi is scaled with the scores.
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

/** Where norms stand, and whether the feed-forward reads what attention reads. */
function residualsOf({ config }: ModelContext): Pick<Decoder, "parallel" | "norms"> {
  const parallel = config.boolean("parallel_attn", { default: true });
  if (!config.boolean("new_decoder_architecture", { default: false })) {
    return parallel ? { parallel, norms: sharedNorm } : {};
  }
  if (!parallel) throw config.error('"new_decoder_architecture" calls for "parallel_attn", got false');
  const norms = config.integer("num_ln_in_parallel_attn", { max: 2, default: 2 });
  return {
    parallel,
    norms: norms === 1 ? sharedNorm : { attention: { before: "ln_attn" }, feedForward: { before: "ln_mlp" } },
  };
}
