import type { Architecture, ModelContext } from "../architecture.js";
import type { Sublayer } from "../blocks/decoder.js";
import { expertSublayer, gatedExperts } from "../blocks/experts.js";
import { rotaryBuffers } from "../blocks/rotary.js";
import { expertCounts } from "../blocks/routing.js";
import { buildLfm2, lfm2FeedForwards, lfm2Names } from "../llama/lfm2.js";
import { balancedRouter } from "./balanced-router.js";

/** https://arxiv.org/abs/2511.23404: LFM2 with experts in all layers except the first ones. */
export const lfm2Moe: Architecture = {
  build: (context) => buildLfm2(context, (width) => feedForward(context, width)),
  ignoredTensors: rotaryBuffers,
};

function feedForward(context: ModelContext, width: number): Sublayer {
  const { g, config } = context;
  const counts = expertCounts(context, 4);
  const denseLayers = config.integer("num_dense_layers", { min: 0, default: 2 });
  const normalize = config.boolean("norm_topk_prob", { default: true });
  const scaling = g.numbers([config.number("routed_scaling_factor", { default: 1 })]);
  const dense = lfm2FeedForwards(context, width, config.integer("intermediate_size"));
  const sparse = expertSublayer(context, {
    counts,
    width,
    module: "feed_forward",
    route: balancedRouter(context, {
      counts,
      width,
      score: (logits) => g.sigmoid(logits),
      bias: config.boolean("use_expert_bias", { default: true }) ? "expert_bias" : undefined,
      weigh(chosen) {
        const total = g.add(g.reduceSum(chosen, [1]), g.numbers([1e-6]));
        return g.mul(normalize ? g.div(chosen, total) : chosen, scaling);
      },
    }),
    run: gatedExperts(context, {
      ...counts,
      width,
      inner: config.integer("moe_intermediate_size"),
      activation: "silu",
      names: lfm2Names,
    }),
  });
  return (x, layer) => (layer.index < denseLayers ? dense : sparse)(x, layer);
}
