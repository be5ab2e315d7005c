import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import type { Sublayer } from "../blocks/decoder.js";
import { type ExpertBlock, expertSublayer, gatedExperts } from "../blocks/experts.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { expertCounts, softmaxRouter } from "../blocks/routing.js";

interface QwenFeedForward {
  readonly width: number;
  /** Used if the config does not say. */
  readonly perRow: number;
  /** A shared expert. Default: none. */
  readonly shared?: (x: Value, module: string) => Value;
  /** How experts are stored. Default: in a tensor each. */
  readonly experts?: ExpertBlock;
  /** Whether the weights of the chosen experts sum to 1. Default: as the config says. */
  readonly normalize?: boolean;
}

/**
 * Experts in every `decoder_sparse_step`-th layer that is not among `mlp_only_layers`, a feed-forward in the others.
 */
export function qwenFeedForward(context: ModelContext, options: QwenFeedForward): Sublayer {
  const { config } = context;
  const { width, perRow, shared, experts = gatedExperts } = options;
  const counts = expertCounts(context, perRow);
  const sparseStep = config.integer("decoder_sparse_step", { default: 1 });
  const denseLayers = new Set(config.optionalIntegers("mlp_only_layers", { min: 0 }));
  const normalize = options.normalize ?? config.boolean("norm_topk_prob", { default: false });
  // Not before the first such layer: a config without any may lack its width.
  let dense: Sublayer | undefined;
  const sparse = expertSublayer(context, {
    counts,
    width,
    route: softmaxRouter(context, { counts, width, normalize }),
    run: experts(context, {
      ...counts,
      width,
      inner: config.integer("moe_intermediate_size"),
      activation: config.string("hidden_act", { default: "silu" }),
    }),
    ...(shared === undefined ? {} : { shared }),
  });
  return (x, layer) => {
    const isDense = denseLayers.has(layer.index) || (layer.index + 1) % sparseStep !== 0;
    if (!isDense) return sparse(x, layer);
    dense ??= gatedFeedForwards(context, width);
    return dense(x, layer);
  };
}
