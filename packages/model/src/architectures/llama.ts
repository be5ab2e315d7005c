import type { Value } from "../graph/index.js";
import type { Architecture, ModelContext } from "./architecture.js";
import { type AttentionShape, attention, groupedShape } from "./blocks/attention.js";
import { CausalCaches } from "./blocks/causal-cache.js";
import { causalStep } from "./blocks/causal-step.js";
import { embedding } from "./blocks/embedding.js";
import { gatedFeedForward } from "./blocks/feed-forward.js";
import { languageHead, selectRows } from "./blocks/language-head.js";
import { rmsNorm } from "./blocks/norms.js";
import { linear } from "./blocks/projections.js";
import { projectSeparately } from "./blocks/query-key-value.js";
import { type RotaryAngles, rotaryAngles } from "./blocks/rotary.js";

/** https://arxiv.org/abs/2302.13971, https://arxiv.org/abs/2407.21783 */
export const llama: Architecture = {
  build(context) {
    const attentionBias = context.config.boolean("attention_bias", { default: false });
    buildLlama(context, {
      queryKeyValueBias: attentionBias,
      outputBias: attentionBias,
      feedForwardBias: context.config.boolean("mlp_bias", { default: false }),
    });
  },
  ignoredTensors: [/\.rotary_emb\.inv_freq$/],
};

/** Where families of the same graph differ. */
interface LlamaDifferences {
  readonly queryKeyValueBias: boolean;
  readonly outputBias: boolean;
  readonly feedForwardBias: boolean;
  /** How many positions a layer sees, itself included; undefined for all. Default: all. */
  readonly window?: (layer: number) => number | undefined;
}

/** RMSNorm, grouped attention with rotary positions, SwiGLU; serial residuals. */
export function buildLlama(context: ModelContext, differences: LlamaDifferences): void {
  const { g, config } = context;
  const shape = groupedShape(config);
  const { width } = shape;
  const epsilon = config.number("rms_norm_eps", { min: 0, default: 1e-6 });
  const inner = config.integer("intermediate_size");
  const activation = config.string("hidden_act", { default: "silu" });

  const step = causalStep(g);
  const caches = new CausalCaches(g, step);
  const angles = rotaryAngles(context, step.positionIds, shape.headDim);
  const table = { name: "model.embed_tokens.weight", rows: config.integer("vocab_size"), width };

  let x = embedding(context, step.inputIds, table);
  for (let layer = 0; layer < shape.layers; layer++) {
    const prefix = `model.layers.${layer}`;
    const cache = caches.get(differences.window?.(layer));
    const attended = selfAttention(
      context,
      rmsNorm(context, x, { name: `${prefix}.input_layernorm`, width, epsilon }),
      { prefix: `${prefix}.self_attn`, layer, cache, angles, shape, differences },
    );
    x = g.add(x, attended);
    const fed = gatedFeedForward(
      context,
      rmsNorm(context, x, { name: `${prefix}.post_attention_layernorm`, width, epsilon }),
      { prefix: `${prefix}.mlp`, width, inner, bias: differences.feedForwardBias, activation },
    );
    x = g.add(x, fed);
  }
  const rows = rmsNorm(context, selectRows(g, x, step, width), { name: "model.norm", width, epsilon });
  languageHead(context, rows, { table, separate: "lm_head.weight", tiedByDefault: false });
}

interface SelfAttention {
  readonly prefix: string;
  readonly layer: number;
  readonly cache: ReturnType<CausalCaches["get"]>;
  readonly angles: RotaryAngles;
  readonly shape: AttentionShape;
  readonly differences: LlamaDifferences;
}

/** `[batch, sequence, width]` to the same. */
function selfAttention(context: ModelContext, x: Value, options: SelfAttention): Value {
  const { prefix, layer, cache, angles, shape, differences } = options;
  const heads = projectSeparately(context, x, { prefix, shape, bias: differences.queryKeyValueBias });
  const mixed = attention(context.g, { ...heads, angles, layer, cache, shape });
  return linear(context, mixed, {
    name: `${prefix}.o_proj`,
    inputs: shape.heads * shape.headDim,
    outputs: shape.width,
    bias: differences.outputBias,
  });
}
