import type { ConfigReader } from "../../checkpoint/index.js";
import type { Value } from "../../graph/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { sharedExpert } from "../blocks/experts.js";
import { layerWindows } from "../blocks/layer-windows.js";
import { linear } from "../blocks/projections.js";
import { rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";
import { qwenFeedForward } from "./qwen-feed-forward.js";

/** https://qwenlm.github.io/blog/qwen-moe/: Qwen2 with routed experts and a gated shared expert. */
export const qwen2Moe: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config);
    const { width } = shape;
    const step = causalStep(g);
    buildDecoder(context, {
      step,
      shape,
      attention: selfAttention(context, {
        step,
        shape,
        bias: config.boolean("qkv_bias", { default: true }),
        window: lowerLayerWindows(config),
      }),
      feedForward: qwenFeedForward(context, { width, perRow: 4, shared: gatedSharedExpert(context, width) }),
    });
  },
  ignoredTensors: rotaryBuffers,
};

/** Without `layer_types`, every other layer below `max_window_layers` may have a sliding window, unlike in Qwen2. */
function lowerLayerWindows(config: ConfigReader): (layer: number) => number | undefined {
  const used = config.boolean("use_sliding_window", { default: false });
  const belowLayer = config.integer("max_window_layers", { min: 0, default: 28 });
  return layerWindows(config, {
    window: used ? config.integer("sliding_window", { default: 4096 }) : undefined,
    slides: (layer) => layer % 2 === 0 && layer < belowLayer,
  });
}

/** A shared expert, scaled by a gate: the sigmoid of one number per row. */
export function gatedSharedExpert(context: ModelContext, width: number): (x: Value, module: string) => Value {
  const { g, config } = context;
  const inner = config.integer("shared_expert_intermediate_size");
  const activation = config.string("hidden_act", { default: "silu" });
  const expert = sharedExpert(context, { name: "shared_expert", width, inner, bias: false, activation });
  return (x, module) => {
    const output = expert(x, module);
    const gate = { name: `${module}.shared_expert_gate`, inputs: width, outputs: 1, bias: false };
    return g.mul(g.sigmoid(linear(context, x, gate)), output);
  };
}
