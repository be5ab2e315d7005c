import type { Architecture, ModelContext } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { type CausalStep, causalStep } from "../blocks/causal-step.js";
import { buildDecoder, type DecoderModules, type DecoderNorms, type Sublayer } from "../blocks/decoder.js";
import { gatedFeedForward } from "../blocks/feed-forward.js";
import { gatedNorm } from "../blocks/gated-norm.js";
import { hybridMambaShape, mamba2 } from "../blocks/mamba2.js";
import { rmsNorms } from "../blocks/norms.js";
import { partialRotaryLanes, rotaryAngles, rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";
import { timeLimits } from "../blocks/time-limits.js";
import { gatedFinish } from "./mamba2.js";
import { recurrentLayers } from "./recurrent-layers.js";

export const bambaModules: DecoderModules = {
  embedding: "model.embed_tokens",
  layers: "model.layers",
  lastNorm: "model.final_layernorm",
  head: "lm_head",
};

export const bambaNorms: DecoderNorms = {
  attention: { before: "input_layernorm" },
  feedForward: { before: "pre_ff_layernorm" },
};

/**
 * https://huggingface.co/blog/bamba: Mamba 2 in most layers, attention in some, with rotary positions on half of the
 * lanes.
 */
export const bamba: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config, { keyValueHeads: 8 });
    const { width, headDim } = shape;
    const step = causalStep(g);
    const bias = config.boolean("attention_bias", { default: false });
    const lanes = partialRotaryLanes(config, headDim, 0.5);
    const angles = rotaryAngles(context, step.positionIds, headDim, { lanes });
    const attention = selfAttention(context, { step, shape, bias, outputBias: bias, angles: () => angles });
    const mixer = hybridMamba(context, { step, width, epsilon: 1e-5 });
    const attentionLayers = config.optionalIntegers("attn_layer_indices", { min: 0 }) ?? [];
    const isRecurrent = recurrentLayers(config, (layer) => !attentionLayers.includes(layer));
    buildDecoder(context, {
      step,
      shape,
      modules: bambaModules,
      norm: rmsNorms(context, width, 1e-5),
      norms: bambaNorms,
      attention: (x, layer) => (isRecurrent(layer.index) ? mixer : attention)(x, layer),
      feedForward: feedForward(context, width),
    });
  },
  ignoredTensors: rotaryBuffers,
};

/** Mamba 2 with the names and default sizes of hybrid models. `epsilon` is the default ε of norms. */
export function hybridMamba(
  context: ModelContext,
  { step, width, epsilon }: { readonly step: CausalStep; readonly width: number; readonly epsilon: number },
): Sublayer {
  const { config } = context;
  const shape = hybridMambaShape(config, width);
  const bias = config.boolean("mamba_proj_bias", { default: false });
  return mamba2(context, {
    step,
    shape,
    module: "mamba",
    taps: config.integer("mamba_d_conv", { min: 2, default: 4 }),
    convolutionBias: config.boolean("mamba_conv_bias", { default: true }),
    bias: { input: bias, output: bias },
    activation: config.string("hidden_act", { default: "silu" }),
    limit: timeLimits(context),
    finish: gatedFinish(
      gatedNorm(context, {
        width: shape.inner,
        groups: 1,
        epsilon: config.number("rms_norm_eps", { min: 0, default: epsilon }),
        gateFirst: true,
      }),
    ),
  });
}

function feedForward(context: ModelContext, width: number): Sublayer {
  const { config } = context;
  const sizes = {
    width,
    inner: config.integer("intermediate_size"),
    bias: config.boolean("mlp_bias", { default: false }),
    activation: config.string("hidden_act", { default: "silu" }),
  };
  return (x, { module }) => gatedFeedForward(context, x, { ...sizes, prefix: `${module}.feed_forward` });
}
