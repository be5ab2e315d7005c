import type { Value } from "../../graph/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import { type AttentionShape, multiHeadShape } from "../blocks/attention.js";
import { type CausalStep, causalStep } from "../blocks/causal-step.js";
import { buildDecoder, type Decoder } from "../blocks/decoder.js";
import { embedding } from "../blocks/embedding.js";
import { feedForwards } from "../blocks/feed-forward.js";
import { layerNorms } from "../blocks/norms.js";
import { conv1d, type Project } from "../blocks/projections.js";
import { fusedProjection, splitParts } from "../blocks/query-key-value.js";
import { type SelfAttention, selfAttention } from "../blocks/self-attention.js";
import { gptModules } from "./gpt-modules.js";

/** https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf */
export const gpt2: Architecture = {
  build(context) {
    const { config } = context;
    const shape = multiHeadShape(config);
    const byLayer = config.boolean("scale_attn_by_inverse_layer_idx", { default: false });
    buildGpt2(context, {
      shape,
      project: conv1d,
      attention: {
        heads: fusedProjection(context, shape, { name: "c_attn", project: conv1d, split: splitParts }),
        scale: (layer) => configuredScale(context, shape) / (byLayer ? layer + 1 : 1),
      },
      inner: config.optionalInteger("n_inner") ?? 4 * shape.width,
      activation: config.string("activation_function", { default: "gelu_new" }),
    });
  },
  // Older checkpoints store the causal mask as a buffer.
  ignoredTensors: [/(^|\.)h\.\d+\.attn\.(masked_)?bias$/],
};

/** What differs between GPT-2 and its relatives. */
interface Gpt2Differences {
  readonly shape: AttentionShape;
  /** How matrices are stored. */
  readonly project: Project;
  readonly attention: Pick<SelfAttention, "heads" | "scale" | "module" | "output" | "window">;
  /** Of the feed-forward. */
  readonly inner: number;
  readonly activation: string;
  /** Default: GPT-2's. */
  readonly decoder?: Pick<Decoder, "modules" | "norms">;
  /** Name of the table of positions. Default `transformer.wpe`. */
  readonly positions?: string;
}

/** Learned positions, LayerNorm, a feed-forward without a gate, sequential residuals, a tied head. */
export function buildGpt2(context: ModelContext, differences: Gpt2Differences): void {
  const { g, config } = context;
  if (config.boolean("add_cross_attention", { default: false })) {
    throw config.error('"add_cross_attention" is set, which only an encoder–decoder has; expected false');
  }
  const { shape, project, inner, activation, positions = "transformer.wpe" } = differences;
  const { width } = shape;
  const step = causalStep(g);
  buildDecoder(context, {
    step,
    shape,
    modules: gptModules,
    norm: layerNorms(context, {
      width,
      epsilon: config.number("layer_norm_epsilon", { min: 0, default: 1e-5 }),
    }),
    norms: { attention: { before: "ln_1" }, feedForward: { before: "ln_2" } },
    ...differences.decoder,
    enter: (tokens) => g.add(tokens, learnedPositions(context, step, positions, width)),
    attention: selfAttention(context, {
      step,
      shape,
      module: "attn",
      output: "c_proj",
      project,
      outputBias: true,
      angles: () => undefined,
      ...differences.attention,
    }),
    feedForward: feedForwards(context, {
      project,
      up: "mlp.c_fc",
      down: "mlp.c_proj",
      width,
      inner,
      activation,
    }),
    tiedByDefault: true,
  });
}

function learnedPositions(context: ModelContext, step: CausalStep, module: string, width: number): Value {
  const rows = context.config.integer(["n_positions", "max_position_embeddings"]);
  return embedding(context, step.positionIds, { name: `${module}.weight`, rows, width });
}

/** The scale of the scores, by `scale_attn_weights`. */
export function configuredScale({ config }: ModelContext, { headDim }: AttentionShape): number {
  return config.boolean("scale_attn_weights", { default: true }) ? 1 / Math.sqrt(headDim) : 1;
}
