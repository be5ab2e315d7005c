import type { Architecture, ModelContext } from "../architecture.js";
import type { Sublayer } from "../blocks/decoder.js";
import { expertSublayer, stackedExperts } from "../blocks/experts.js";
import { gatedFeedForward } from "../blocks/feed-forward.js";
import { rotaryBuffers } from "../blocks/rotary.js";
import { expertCounts, softmaxRouter } from "../blocks/routing.js";
import { buildGranite } from "../llama/granite.js";

/** https://arxiv.org/abs/2408.13359: Granite with experts instead of feed-forwards. */
export const graniteMoe: Architecture = {
  build: (context) => buildGranite(context, (width) => graniteExperts(context, width)),
  ignoredTensors: rotaryBuffers,
};

/** Granite with experts and a shared feed-forward. */
export const graniteMoeShared: Architecture = {
  build(context) {
    const inner = context.config.integer("shared_intermediate_size", { min: 0, default: 0 });
    buildGranite(context, (width) => {
      const routed = graniteExperts(context, width);
      return inner === 0 ? routed : sum(context, routed, sharedFeedForward(context, width, inner));
    });
  },
  ignoredTensors: rotaryBuffers,
};

/** The sum of two sublayers that read the same rows. */
export function sum({ g }: ModelContext, one: Sublayer, other: Sublayer): Sublayer {
  return (x, layer) => g.add(one(x, layer), other(x, layer));
}

/** The shared feed-forward, with gate and up in one matrix. */
export function sharedFeedForward(context: ModelContext, width: number, inner: number): Sublayer {
  return (x, { module }) =>
    gatedFeedForward(context, x, {
      prefix: `${module}.shared_mlp`,
      width,
      inner,
      bias: false,
      activation: activationOf(context),
      fused: true,
      names: { gateUp: "input_linear", down: "output_linear" },
    });
}

export function graniteExperts(context: ModelContext, width: number): Sublayer {
  const counts = expertCounts(context, 2);
  return expertSublayer(context, {
    counts,
    width,
    module: "block_sparse_moe",
    route: softmaxRouter(context, { counts, width, normalize: true, name: "router.layer" }),
    run: stackedExperts(context, {
      experts: counts.experts,
      width,
      inner: context.config.integer("intermediate_size"),
      activation: activationOf(context),
      names: { gateUp: "input_linear.weight", down: "output_linear.weight" },
      outputsFirst: true,
    }),
  });
}

function activationOf({ config }: ModelContext): string {
  return config.string("hidden_act", { default: "silu" });
}
