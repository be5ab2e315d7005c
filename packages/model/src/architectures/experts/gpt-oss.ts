import type { Value } from "../../graph/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { expertSublayer, type RunExperts } from "../blocks/experts.js";
import { alternatingWindows } from "../blocks/layer-windows.js";
import { rmsNorms } from "../blocks/norms.js";
import { rotaryAngles, rotaryBuffers } from "../blocks/rotary.js";
import { expertCounts, softmaxRouter } from "../blocks/routing.js";
import { selfAttention } from "../blocks/self-attention.js";

/**
 * https://arxiv.org/abs/2508.10925: attention sinks, a sliding window in every other layer, experts with biases and a
 * clipped gate.
 */
export const gptOss: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config, { headDim: 64, keyValueHeads: 8 });
    const { width, headDim } = shape;
    const step = causalStep(g);
    const bias = config.boolean("attention_bias", { default: true });
    const angles = rotaryAngles(context, step.positionIds, headDim, {
      defaultTheta: 150_000,
      defaultScaling,
    });
    const window = config.integer("sliding_window", { default: 128 });
    const counts = expertCounts(context, 4);
    buildDecoder(context, {
      step,
      shape,
      norm: rmsNorms(context, width, 1e-5),
      attention: selfAttention(context, {
        step,
        shape,
        bias,
        outputBias: bias,
        angles: () => angles,
        window: alternatingWindows(config, { window, period: () => 2 }),
        sinks: true,
      }),
      feedForward: expertSublayer(context, {
        counts,
        width,
        route: softmaxRouter(context, { counts, width, normalize: true, name: "router", bias: true }),
        run: boundedExperts(context, counts.experts, width),
      }),
    });
  },
  ignoredTensors: rotaryBuffers,
};

const defaultScaling = {
  type: "yarn",
  factor: 32,
  originalMaxPositionEmbeddings: 4096,
  betaFast: 32,
  betaSlow: 1,
  truncate: false,
} as const;

/**
 * Stacked experts with interleaved gate and up lanes: `down((up + 1) · gate · σ(1.702 · gate))`, with gate and up
 * clipped. `[rows, width]` to `[experts, rows, width]`.
 */
function boundedExperts({ g, config, parameters }: ModelContext, experts: number, width: number): RunExperts {
  const inner = config.integer("intermediate_size");
  const limit = config.number("swiglu_limit", { min: 0, default: 7 });
  const [most, least] = [g.numbers([limit]), g.numbers([-limit])];
  return (rows, module) => {
    const project = (x: Value, name: string, inputs: number, outputs: number): Value => {
      const product = g.matmul(x, parameters.get(`${module}.experts.${name}`, [experts, inputs, outputs]));
      const bias = parameters.get(`${module}.experts.${name}_bias`, [experts, outputs]);
      return g.add(product, g.unsqueeze(bias, [1]));
    };
    const pairs = g.reshape(project(rows, "gate_up_proj", width, 2 * inner), [0, 0, inner, 2]);
    const [gate, up] = g.split(pairs, [1, 1], 3).map((half) => g.squeeze(half, [3]));
    const open = g.quickGelu(g.min(gate!, most), 1.702);
    const hidden = g.mul(g.add(g.clip(up!, least, most), g.numbers([1])), open);
    return project(hidden, "down_proj", inner, width);
  };
}
