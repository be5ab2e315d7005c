import type { Value } from "../../graph/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import { activate } from "../blocks/activations.js";
import { groupedShape } from "../blocks/attention.js";
import { type CausalStep, causalStep } from "../blocks/causal-step.js";
import { buildDecoder, type Sublayer } from "../blocks/decoder.js";
import { gatedNorm } from "../blocks/gated-norm.js";
import { hybridMambaShape, mamba2 } from "../blocks/mamba2.js";
import { rmsNorms } from "../blocks/norms.js";
import { linear } from "../blocks/projections.js";
import { rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";
import { timeLimits } from "../blocks/time-limits.js";
import { bambaModules, bambaNorms } from "./bamba.js";
import { gatedFinish } from "./mamba2.js";

/** https://arxiv.org/abs/2507.22448: attention and Mamba 2 in parallel in each layer, with many multipliers. */
export const falconH1: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config, { keyValueHeads: 8 });
    const step = causalStep(g);
    const times = multiplied(context);
    const bias = config.boolean("attention_bias", { default: false });
    const attention = selfAttention(context, {
      step,
      shape,
      bias,
      outputBias: bias,
      adjust: ({ query, key, value }) => ({ query, key: times("key_multiplier", key), value }),
    });
    const mixer = falconMamba(context, step, shape.width);
    buildDecoder(context, {
      step,
      shape,
      modules: bambaModules,
      norm: rmsNorms(context, shape.width, 1e-5),
      norms: bambaNorms,
      embeddingScale: config.number("embedding_multiplier", { default: 1 }),
      attention(x, layer) {
        const mixed = mixer(times("ssm_in_multiplier", x), layer);
        const attended = attention(times("attention_in_multiplier", x), layer);
        return g.add(times("ssm_out_multiplier", mixed), times("attention_out_multiplier", attended));
      },
      feedForward: feedForward(context, shape.width),
      logitScale: config.number("lm_head_multiplier", { default: 1 }),
    });
  },
  ignoredTensors: [...rotaryBuffers, /\.mamba\.mup_vector$/],
};

/** Multiplies a value by the config's multiplier of a given name, 1 by default. */
function multiplied({ g, config }: ModelContext): (name: string, x: Value) => Value {
  return (name, x) => {
    const multiplier = config.number(name, { default: 1 });
    return multiplier === 1 ? x : g.mul(x, g.numbers([multiplier]));
  };
}

function falconMamba(context: ModelContext, step: CausalStep, width: number): Sublayer {
  const { g, config } = context;
  const inner = config.isNull("mamba_d_ssm") ? undefined : config.integer("mamba_d_ssm", { default: 1024 });
  const shape = hybridMambaShape(config, width, inner);
  const norm = gatedNorm(context, {
    width: shape.inner,
    groups: shape.groups,
    epsilon: config.number("rms_norm_eps", { min: 0, default: 1e-5 }),
    gateFirst: !config.boolean("mamba_norm_before_gate", { default: true }),
  });
  const isNormed = config.boolean("mamba_rms_norm", { default: false });
  return mamba2(context, {
    step,
    shape,
    module: "mamba",
    taps: config.integer("mamba_d_conv", { min: 2, default: 4 }),
    convolutionBias: config.boolean("mamba_conv_bias", { default: true }),
    bias: {
      input: config.boolean("mamba_proj_bias", { default: false }),
      output: config.boolean("projectors_bias", { default: false }),
    },
    activation: config.string("hidden_act", { default: "silu" }),
    limit: timeLimits(context),
    finish: isNormed ? gatedFinish(norm) : (x, gate) => g.mul(x, gate),
    multipliers: multipliers(context, "ssm_multipliers", 5),
  });
}

function feedForward(context: ModelContext, width: number): Sublayer {
  const { g, config } = context;
  const inner = config.integer("intermediate_size");
  const activation = config.string("hidden_act", { default: "silu" });
  const bias = config.boolean("mlp_bias", { default: false });
  const [ofGate, ofOutput] = multipliers(context, "mlp_multipliers", 2) ?? [1, 1];
  const times = (x: Value, multiplier: number): Value =>
    multiplier === 1 ? x : g.mul(x, g.numbers([multiplier]));
  return (x, { module }) => {
    const project = (x: Value, name: string, inputs: number, outputs: number): Value =>
      linear(context, x, { name: `${module}.feed_forward.${name}`, inputs, outputs, bias });
    const gate = activate(context, activation, times(project(x, "gate_proj", width, inner), ofGate!));
    const hidden = g.mul(project(x, "up_proj", width, inner), gate);
    return times(project(hidden, "down_proj", inner, width), ofOutput!);
  };
}

/** @throws RR_CONFIG unless the config has `count` of them, or none */
function multipliers({ config }: ModelContext, name: string, count: number): readonly number[] | undefined {
  const given = config.optionalNumbers(name);
  if (given === undefined || given.length === count) return given;
  throw config.error(`expected "${name}" to be ${count} numbers, got ${given.length}`);
}
