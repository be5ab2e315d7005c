import type { Architecture, ModelContext } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder, type Sublayer } from "../blocks/decoder.js";
import { expertSublayer, gatedExperts, sharedExpert } from "../blocks/experts.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { alternatingWindows } from "../blocks/layer-windows.js";
import { rmsNorms } from "../blocks/norms.js";
import { normPerHead } from "../blocks/query-key-norm.js";
import { rotaryAngles, rotaryBuffers } from "../blocks/rotary.js";
import { expertCounts } from "../blocks/routing.js";
import { selfAttention } from "../blocks/self-attention.js";
import { balancedRouter } from "./balanced-router.js";

/**
 * https://huggingface.co/arcee-ai/Trinity-Mini: norms before and after each sublayer, a gate on attention's output, and
 * rotary positions only in layers with a sliding window.
 */
export const afmoe: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config, { headDim: 128 });
    const { width, headDim } = shape;
    const step = causalStep(g);
    const bias = config.boolean("attention_bias", { default: false });
    const window = alternatingWindows(config, {
      window: config.integer("sliding_window", { default: 1024 }),
      period: () => config.integer("global_attn_every_n_layers", { default: 4 }),
    });
    const angles = rotaryAngles(context, step.positionIds, headDim);
    buildDecoder(context, {
      step,
      shape,
      norm: rmsNorms(context, width, 1e-5),
      norms: {
        attention: { before: "input_layernorm", after: "post_attention_layernorm" },
        feedForward: { before: "pre_mlp_layernorm", after: "post_mlp_layernorm" },
      },
      embeddingScale: config.boolean("mup_enabled", { default: false }) ? Math.sqrt(width) : 1,
      attention: selfAttention(context, {
        step,
        shape,
        bias,
        outputBias: bias,
        adjust: normPerHead(rmsNorms(context, headDim, 1e-5)),
        angles: (layer) => (window(layer) === undefined ? undefined : angles),
        window,
        gate: "gate_proj",
      }),
      feedForward: feedForward(context, width),
    });
  },
  ignoredTensors: rotaryBuffers,
};

/** A mixture of experts with shared experts in all layers except the first ones. */
function feedForward(context: ModelContext, width: number): Sublayer {
  const { g, config } = context;
  const counts = expertCounts(context, 6);
  const inner = config.integer("moe_intermediate_size", { default: 1408 });
  const sharedInner = inner * config.integer("num_shared_experts", { default: 2 });
  const activation = config.string("hidden_act", { default: "silu" });
  const denseLayers = config.integer("num_dense_layers", { min: 0, default: 1 });
  const scaling = g.numbers([config.number("route_scale", { default: 1 })]);
  const dense = gatedFeedForwards(context, width);
  const sizes = { width, inner: sharedInner, bias: false, activation };
  const shared = sharedExpert(context, { name: "shared_experts", ...sizes });
  const sparse = expertSublayer(context, {
    counts,
    width,
    route: balancedRouter(context, {
      counts,
      width,
      score: (logits) => g.sigmoid(logits),
      name: "router.gate",
      bias: "expert_bias",
      weigh: (chosen) => g.mul(g.div(chosen, g.add(g.reduceSum(chosen, [1]), g.numbers([1e-20]))), scaling),
    }),
    run: gatedExperts(context, { ...counts, width, inner, activation }),
    shared,
  });
  return (x, layer) => (layer.index < denseLayers ? dense : sparse)(x, layer);
}
