import type { Value } from "../../graph/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import { bfloat16Alibi } from "../blocks/alibi.js";
import { type AttentionShape, attention, multiHeadShape } from "../blocks/attention.js";
import { CausalCaches } from "../blocks/causal-cache.js";
import { causalStep } from "../blocks/causal-step.js";
import { embedding } from "../blocks/embedding.js";
import { feedForward } from "../blocks/feed-forward.js";
import { languageHead, selectRows } from "../blocks/language-head.js";
import { layerNorm } from "../blocks/norms.js";
import { linear } from "../blocks/projections.js";
import { fusedLanes, splitGroups } from "../blocks/query-key-value.js";
import { rotaryAngles } from "../blocks/rotary.js";

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
    const epsilon = config.number("layer_norm_epsilon", { min: 0, default: 1e-5 });
    const inner = config.optionalInteger("ffn_hidden_size") ?? 4 * width;
    const activation = config.string("activation", { default: "gelu" });
    const bias = config.boolean("bias", { default: false });
    const residual = residualsOf(context);

    const step = causalStep(g);
    const cache = new CausalCaches(g, step).get();
    // Unlike elsewhere, ALiBi is scaled with the scores.
    const alibiScale = alibiCount / Math.sqrt(headDim);
    const positions = config.boolean("alibi", { default: false })
      ? { biases: [g.mul(bfloat16Alibi(g, cache, heads), g.numbers([alibiScale]))] }
      : { angles: rotaryAngles(context, step.positionIds, headDim) };
    const table = {
      name: "transformer.word_embeddings.weight",
      rows: config.integer("vocab_size"),
      width,
    };

    let x = embedding(context, step.inputIds, table);
    for (let layer = 0; layer < shape.layers; layer++) {
      const prefix = `transformer.h.${layer}`;
      const norm = (input: Value, name: string): Value =>
        layerNorm(context, input, { name: `${prefix}.${name}`, width, epsilon });
      const attentionInput = norm(x, residual.attentionNorm);
      const fused = linear(context, attentionInput, {
        name: `${prefix}.self_attention.query_key_value`,
        inputs: width,
        outputs: fusedLanes(shape),
        bias,
      });
      const mixed = attention(g, { ...splitGroups(g, fused, shape), ...positions, layer, cache, shape });
      const attended = linear(context, mixed, {
        name: `${prefix}.self_attention.dense`,
        inputs: width,
        outputs: width,
        bias,
      });
      const both = g.add(x, attended);
      const fed = feedForward(
        context,
        residual.feedForwardNorm === undefined
          ? attentionInput
          : norm(residual.parallel ? x : both, residual.feedForwardNorm),
        {
          project: linear,
          up: `${prefix}.mlp.dense_h_to_4h`,
          down: `${prefix}.mlp.dense_4h_to_h`,
          width,
          inner,
          bias,
          activation,
        },
      );
      x = g.add(both, fed);
    }
    const rows = layerNorm(context, selectRows(g, x, step, width), {
      name: "transformer.ln_f",
      width,
      epsilon,
    });
    languageHead(context, rows, { table, separate: "lm_head.weight", tiedByDefault: true });
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

interface Residuals {
  /** Whether the feed-forward reads what attention reads, and not what attention adds to. */
  readonly parallel: boolean;
  readonly attentionNorm: string;
  /** Undefined where it shares the norm of attention. */
  readonly feedForwardNorm: string | undefined;
}

function residualsOf({ config }: ModelContext): Residuals {
  const parallel = config.boolean("parallel_attn", { default: true });
  if (config.boolean("new_decoder_architecture", { default: false })) {
    const norms = config.integer("num_ln_in_parallel_attn", { max: 2, default: 2 });
    if (!parallel) throw config.error('"new_decoder_architecture" calls for "parallel_attn", got false');
    return norms === 2
      ? { parallel, attentionNorm: "ln_attn", feedForwardNorm: "ln_mlp" }
      : { parallel, attentionNorm: "input_layernorm", feedForwardNorm: undefined };
  }
  const feedForwardNorm = parallel ? undefined : "post_attention_layernorm";
  return { parallel, attentionNorm: "input_layernorm", feedForwardNorm };
}
