import { configLimits } from "../../checkpoint/index.js";
import type { Architecture } from "../architecture.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder, type DecoderModules, type DecoderNorms } from "../blocks/decoder.js";
import { gatedNorm } from "../blocks/gated-norm.js";
import { checked, mamba2 as mixer } from "../blocks/mamba2.js";
import { rmsNorm } from "../blocks/norms.js";
import { timeLimits } from "../blocks/time-limits.js";

export const backbone: DecoderModules = {
  embedding: "backbone.embeddings",
  layers: "backbone.layers",
  lastNorm: "backbone.norm_f",
  head: "lm_head",
};

/** For layers with a single sublayer. */
export const oneNorm: DecoderNorms = { attention: { before: "norm" }, feedForward: {} };

/** https://arxiv.org/abs/2405.21060: only Mamba 2 layers. */
export const mamba2: Architecture = {
  build(context) {
    const { g, config } = context;
    const width = config.integer("hidden_size");
    const epsilon = config.number("layer_norm_epsilon", { min: 0, default: 1e-5 });
    const shape = checked(config, {
      width,
      inner: Math.trunc(config.number("expand", { min: 0, default: 2 }) * width),
      heads: config.integer("num_heads", { default: 128 }),
      groups: config.integer("n_groups", { default: 8 }),
      stateDim: config.integer("state_size", { default: 128 }),
    });
    const step = causalStep(g);
    const bias = config.boolean("use_bias", { default: false });
    buildDecoder(context, {
      step,
      shape: { width, layers: config.integer("num_hidden_layers", { max: configLimits.layers }) },
      modules: backbone,
      norm: (x, name) => rmsNorm(context, x, { name, width, epsilon }),
      norms: oneNorm,
      attention: mixer(context, {
        step,
        shape,
        module: "mixer",
        taps: config.integer("conv_kernel", { min: 2, default: 4 }),
        convolutionBias: config.boolean("use_conv_bias", { default: true }),
        bias: { input: bias, output: bias },
        activation: config.string("hidden_act", { default: "silu" }),
        limit: timeLimits(context),
        finish: gatedFinish(gatedNorm(context, { width: shape.inner, groups: 1, epsilon, gateFirst: true })),
      }),
    });
  },
};

/** The gated norm under its usual name in the mixer's module. */
export function gatedFinish(norm: ReturnType<typeof gatedNorm>): Parameters<typeof mixer>[1]["finish"] {
  return (x, gate, module) => norm(x, gate, `${module}.norm`);
}
