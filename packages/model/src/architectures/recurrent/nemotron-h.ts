import { type ConfigReader, configLimits } from "../../checkpoint/index.js";
import type { Value } from "../../graph/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { type CausalStep, causalStep } from "../blocks/causal-step.js";
import { buildDecoder, type Sublayer } from "../blocks/decoder.js";
import { expertSublayer, plainExperts } from "../blocks/experts.js";
import { feedForward, feedForwards } from "../blocks/feed-forward.js";
import { gatedNorm } from "../blocks/gated-norm.js";
import { checked, mamba2 } from "../blocks/mamba2.js";
import { rmsNorm } from "../blocks/norms.js";
import { linear } from "../blocks/projections.js";
import { rotaryBuffers } from "../blocks/rotary.js";
import { expertCounts } from "../blocks/routing.js";
import { selfAttention } from "../blocks/self-attention.js";
import { groupedRouter } from "../experts/deepseek-v3.js";
import { backbone, gatedFinish, oneNorm } from "./mamba2.js";

/** The only sublayer of a layer. */
type Kind = "mamba" | "attention" | "mlp" | "moe";

/** https://arxiv.org/abs/2504.03624: each layer is Mamba 2, attention, a feed-forward or experts, in any order. */
export const nemotronH: Architecture = {
  build(context) {
    const { g, config } = context;
    const kinds = layerKinds(config);
    const layers = kinds.length;
    const shape = { ...groupedShape(config, { headDim: 128, keyValueHeads: 8, layers }), layers };
    const { width } = shape;
    const epsilon = config.number("layer_norm_epsilon", { min: 0, default: 1e-5 });
    const step = causalStep(g);
    const sublayers: Record<Kind, () => Sublayer> = {
      mamba: () => mixer(context, step, width, epsilon),
      attention: () => selfAttention(context, { step, shape, module: "mixer", angles: () => undefined }),
      mlp: () =>
        feedForwards(context, {
          up: "mixer.up_proj",
          down: "mixer.down_proj",
          width,
          inner: config.integer("intermediate_size"),
          ...feedForwardOptions(config),
        }),
      moe: () => experts(context, width),
    };
    // Not before the first layer of a kind: a model without such layers may have invalid sizes for it.
    const made = new Map<Kind, Sublayer>();
    buildDecoder(context, {
      step,
      shape,
      modules: backbone,
      norm: (x, name) => rmsNorm(context, x, { name, width, epsilon }),
      norms: oneNorm,
      attention(x, layer) {
        const kind = kinds[layer.index]!;
        const sublayer = made.get(kind) ?? sublayers[kind]();
        made.set(kind, sublayer);
        return sublayer(x, layer);
      },
    });
  },
  ignoredTensors: [...rotaryBuffers, /^mtp\./],
};

/** The names in transformers 5, those in transformers 4, and the letters in configs of the models' own code. */
const kindsByName: Readonly<Record<string, Kind>> = {
  linear_attention: "mamba",
  mamba: "mamba",
  M: "mamba",
  full_attention: "attention",
  attention: "attention",
  "*": "attention",
  mlp: "mlp",
  "-": "mlp",
  moe: "moe",
  E: "moe",
};

function layerKinds(config: ConfigReader): readonly Kind[] {
  const pattern = config.optionalString("hybrid_override_pattern");
  const names = config.optionalStrings(["layers_block_type", "layer_types"]) ?? (pattern && [...pattern]);
  if (!names || names.length === 0 || names.length > configLimits.layers) {
    throw config.error(
      'expected "layers_block_type" or "hybrid_override_pattern" to list the kinds of layers',
    );
  }
  return names.map((name) => {
    if (Object.hasOwn(kindsByName, name)) return kindsByName[name]!;
    throw config.error(
      `expected kinds of layers to be among ${Object.keys(kindsByName).join(", ")}, got ${name}`,
    );
  });
}

function mixer(context: ModelContext, step: CausalStep, width: number, epsilon: number): Sublayer {
  const { g, config } = context;
  const heads = config.integer("mamba_num_heads", { default: 128 });
  const shape = checked(config, {
    width,
    inner: heads * config.integer("mamba_head_dim", { default: 64 }),
    heads,
    groups: config.integer(["n_groups", "mamba_n_groups"], { default: 8 }),
    stateDim: config.integer("ssm_state_size", { default: 128 }),
  });
  const bias = config.boolean("use_bias", { default: false });
  const least = config.number(["time_step_min", "mamba_dt_min"], { min: 0, default: 0.001 });
  return mamba2(context, {
    step,
    shape,
    module: "mixer",
    taps: config.integer(["conv_kernel", "mamba_d_conv"], { min: 2, default: 4 }),
    convolutionBias: config.boolean(["use_conv_bias", "mamba_conv_bias"], { default: true }),
    bias: { input: bias, output: bias },
    activation: config.string("mamba_hidden_act", { default: "silu" }),
    // As in transformers, which ignores "time_step_limit".
    limit: (time) => g.max(time, g.numbers([least])),
    finish: gatedFinish(
      gatedNorm(context, { width: shape.inner, groups: shape.groups, epsilon, gateFirst: true }),
    ),
  });
}

function feedForwardOptions(config: ConfigReader) {
  return {
    bias: config.boolean("mlp_bias", { default: false }),
    activation: config.string("mlp_hidden_act", { default: "relu2" }),
  };
}

/**
 * DeepSeek-V3's router, with routed and shared experts that have no gates. The routed ones may read a projection of the
 * residual stream, and their sum is then projected back.
 */
function experts(context: ModelContext, width: number): Sublayer {
  const { config } = context;
  const counts = expertCounts(context, 2);
  const options = feedForwardOptions(config);
  const inner = config.integer("moe_shared_expert_intermediate_size", { default: 7688 });
  const latent = config.optionalInteger("moe_latent_size");
  const run = plainExperts(context, {
    ...counts,
    width: latent ?? width,
    inner: config.integer("moe_intermediate_size", { default: 7688 }),
    activation: options.activation,
  });
  const project = (x: Value, name: string, inputs: number, outputs: number): Value =>
    linear(context, x, { name, inputs, outputs, bias: options.bias });
  return expertSublayer(context, {
    counts,
    width,
    module: "mixer",
    route: groupedRouter(context, counts, width, { groups: 1, groupsPerRow: 1, normalize: true, scaling: 1 }),
    ...(latent === undefined
      ? { run }
      : {
          run: (rows, module) => run(project(rows, `${module}.fc1_latent_proj`, width, latent), module),
          leave: (mixed, module) => project(mixed, `${module}.fc2_latent_proj`, latent, width),
        }),
    shared: (x, module) =>
      feedForward(context, x, {
        ...options,
        project: linear,
        up: `${module}.shared_experts.up_proj`,
        down: `${module}.shared_experts.down_proj`,
        width,
        inner,
      }),
  });
}
