import type { ConfigReader } from "../../checkpoint/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder, type Sublayer } from "../blocks/decoder.js";
import { expertSublayer, gatedExperts, sharedExpert } from "../blocks/experts.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { rmsNorms } from "../blocks/norms.js";
import { rotaryAngles, rotaryBuffers } from "../blocks/rotary.js";
import { expertCounts } from "../blocks/routing.js";
import { selfAttention } from "../blocks/self-attention.js";
import { balancedRouter } from "./balanced-router.js";

/** https://yiyan.baidu.com/blog/publication/ERNIE_Technical_Report.pdf: ERNIE 4.5 with routed and shared experts. */
export const ernie45Moe: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config, { keyValueHeads: 4 });
    const { width, layers, headDim } = shape;
    const step = causalStep(g);
    const bias = config.boolean("use_bias", { default: false });
    const angles = rotaryAngles(context, step.positionIds, headDim, {
      interleaved: true,
      defaultTheta: 500_000,
    });
    const dense = gatedFeedForwards(context, width, { bias });
    const sparse = sparseFeedForward(context, width, bias);
    const isSparse = sparseLayers(config, layers);
    buildDecoder(context, {
      step,
      shape,
      norm: rmsNorms(context, width, 1e-5),
      attention: selfAttention(context, { step, shape, bias, outputBias: bias, angles: () => angles }),
      feedForward: (x, layer) => (isSparse(layer.index) ? sparse(x, layer) : dense(x, layer)),
      headBias: bias,
      tiedByDefault: true,
    });
  },
  // Modules for multi-token prediction in training.
  ignoredTensors: [...rotaryBuffers, /(^|\.)mtp_/],
};

/** Which layers have experts: every `moe_layer_interval`-th within a range. */
function sparseLayers(config: ConfigReader, layers: number): (layer: number) => boolean {
  const interval = config.integer("moe_layer_interval", { default: 1 });
  const first = config.integer("moe_layer_start_index", { min: 0, default: 1 });
  const last = config.integer("moe_layer_end_index", { min: -1, default: -1 });
  return (layer) => (layer + 1) % interval === 0 && layer >= first && layer <= (last === -1 ? layers : last);
}

function sparseFeedForward(context: ModelContext, width: number, bias: boolean): Sublayer {
  const { g, config } = context;
  const counts = expertCounts(context, 6);
  const inner = config.integer("moe_intermediate_size", { default: 1536 });
  const sharedInner = inner * config.integer("moe_num_shared_experts", { min: 0, default: 2 });
  const activation = config.string("hidden_act", { default: "silu" });
  const leastTotal = g.numbers([config.number("moe_norm_min", { min: 0, default: 1e-12 })]);
  const sizes = { width, inner: sharedInner, bias, activation };
  const shared = sharedExpert(context, { name: "shared_experts", ...sizes });
  return expertSublayer(context, {
    counts,
    width,
    route: balancedRouter(context, {
      counts,
      width,
      score: (logits) => g.softmax(logits),
      bias: "moe_statics.e_score_correction_bias",
      biasDims: [1, counts.experts],
      weigh: (chosen) => g.div(chosen, g.max(g.reduceSum(chosen, [1]), leastTotal)),
    }),
    run: gatedExperts(context, { ...counts, width, inner, activation }),
    ...(sharedInner === 0 ? {} : { shared }),
  });
}
