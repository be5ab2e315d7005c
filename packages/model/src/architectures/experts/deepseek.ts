import type { ConfigReader } from "../../checkpoint/index.js";
import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder, type Sublayer } from "../blocks/decoder.js";
import { expertSublayer, gatedExperts, sharedExpert } from "../blocks/experts.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { latentAttention, latentShape } from "../blocks/latent-attention.js";
import { rmsNorms } from "../blocks/norms.js";
import { type ExpertCounts, expertCounts, isIndex, type Routes } from "../blocks/routing.js";

interface Deepseek extends DeepseekFeedForward {
  /** Whether rotary pairs are neighbouring lanes. */
  readonly interleaved: boolean;
  /** ε of norms, if the config does not say. Default 1e-6. */
  readonly epsilon?: number;
}

interface DeepseekFeedForward {
  /** Routes rows, `[rows, width]`. */
  readonly route: (counts: ExpertCounts, width: number) => (rows: Value, module: string) => Routes;
  /** Used if the config does not say. */
  readonly defaults: {
    readonly perRow?: number;
    readonly denseLayers: number;
    readonly sharedExperts: number;
  };
}

/** Multi-head latent attention, and experts as in {@link deepseekFeedForward}. */
export function buildDeepseek(context: ModelContext, family: Deepseek): void {
  const { g } = context;
  const shape = latentShape(context);
  const { width } = shape;
  const step = causalStep(g);
  buildDecoder(context, {
    step,
    shape,
    norm: rmsNorms(context, width, family.epsilon),
    attention: latentAttention(context, { step, shape, interleaved: family.interleaved }),
    feedForward: deepseekFeedForward(context, width, family),
  });
}

/** Routed and shared experts in all layers except the first ones, or in those that `mlp_layer_types` names. */
export function deepseekFeedForward(
  context: ModelContext,
  width: number,
  { route, defaults }: DeepseekFeedForward,
): Sublayer {
  const { config } = context;
  if (config.integer("moe_layer_freq", { default: 1 }) !== 1) {
    throw config.error('expected "moe_layer_freq" to be 1: experts in every layer after the dense ones');
  }
  const counts = expertCounts(context, defaults.perRow);
  const inner = config.integer("moe_intermediate_size");
  const sharedInner =
    inner *
    config.integer("n_shared_experts", {
      min: 0,
      default: config.isNull("n_shared_experts") ? 0 : defaults.sharedExperts,
    });
  const activation = config.string("hidden_act", { default: "silu" });
  const isDense = denseLayers(config, defaults.denseLayers);
  const bias = config.boolean("mlp_bias", { default: false });
  const dense = gatedFeedForwards(context, width, { bias });
  const sizes = { width, inner: sharedInner, bias, activation };
  const shared = sharedExpert(context, { name: "shared_experts", ...sizes });
  const sparse = expertSublayer(context, {
    counts,
    width,
    route: route(counts, width),
    run: gatedExperts(context, { ...counts, width, inner, activation }),
    ...(sharedInner === 0 ? {} : { shared }),
  });
  return (x, layer) => (isDense(layer.index) ? dense(x, layer) : sparse(x, layer));
}

/** @param defaultCount of dense layers, the first ones, if the config does not say */
function denseLayers(config: ConfigReader, defaultCount: number): (layer: number) => boolean {
  const types = config.optionalStrings("mlp_layer_types");
  const count = config.integer("first_k_dense_replace", { min: 0, default: defaultCount });
  return (layer) => {
    if (types === undefined) return layer < count;
    const type = types[layer];
    if (type === "dense" || type === "sparse") return type === "dense";
    throw config.error(
      `expected "mlp_layer_types" to be dense or sparse for layer ${layer}, got ${type ?? "none"}`,
    );
  };
}

interface ExpertGroups {
  readonly groups: number;
  /** The number of groups that a row may go to. */
  readonly perRow: number;
  /** The score of each group, `[rows, groups]`, from those of its experts, `[rows, groups, experts / groups]`. */
  readonly worth: (scores: Value) => Value;
  /** Replaces the scores of experts outside the best groups; at most as large as any score within them. */
  readonly excluded: number;
}

/**
 * `scores`, `[rows, experts]`, with `excluded` for experts outside each row's best groups. In training, this keeps the
 * experts of a row on few devices (https://arxiv.org/abs/2405.04434, section 2.2.2).
 */
export function withinBestGroups(
  { g, config }: ModelContext,
  scores: Value,
  experts: number,
  { groups, perRow, worth, excluded }: ExpertGroups,
): Value {
  if (groups === perRow) return scores;
  if (experts % groups !== 0 || perRow > groups) {
    throw config.error(
      `expected ${groups} groups to divide ${experts} experts, and a row to go to at most that many groups, got ` +
        `${perRow}`,
    );
  }
  const grouped = g.reshape(scores, [-1, groups, experts / groups]);
  const [, best] = g.topK(worth(grouped), perRow);
  const isBest = g.reduceMax(g.cast(isIndex(g, best, groups), "float32"), [1]);
  const kept = g.cast(g.transpose(isBest, [0, 2, 1]), "bool");
  return g.reshape(g.where(kept, grouped, g.numbers([excluded])), [-1, experts]);
}
