import type { Value } from "../../graph/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder, type Sublayer } from "../blocks/decoder.js";
import { type ExpertBlock, gatedExperts, stackedExperts } from "../blocks/experts.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { type DeltaInputs, type DeltaShape, deltaShape, gatedDeltaNet } from "../blocks/gated-delta-net.js";
import { shiftedRmsNorms } from "../blocks/norms.js";
import { linear } from "../blocks/projections.js";
import { normPerHead } from "../blocks/query-key-norm.js";
import { gatedProjections } from "../blocks/query-key-value.js";
import { partialRotaryLanes, rotaryAngles, rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";
import { qwenFeedForward } from "../experts/qwen-feed-forward.js";
import { gatedSharedExpert } from "../experts/qwen2-moe.js";
import { recurrentLayers } from "./recurrent-layers.js";

/** Layers for multi-token prediction, used in speculative decoding. */
const ignoredTensors = [...rotaryBuffers, /^mtp\./];

/** https://qwen.ai/blog?id=qwen3-next: gated DeltaNet in most layers, gated attention in the others, experts in all. */
export const qwen3Next: Architecture = {
  build: (context) =>
    buildQwen3Next(context, {
      project: projectGroups,
      feedForward: (width) => experts(context, width, gatedExperts),
    }),
  ignoredTensors,
};

/** https://qwen.ai/blog?id=qwen3.5: the text part of its vision model, with a feed-forward in each layer. */
export const qwen35: Architecture = {
  build: (context) =>
    buildQwen3Next(context, {
      project: projectApart,
      feedForward: (width) => gatedFeedForwards(context, width),
    }),
  ignoredTensors,
};

export const qwen35Moe: Architecture = {
  build: (context) =>
    buildQwen3Next(context, {
      project: projectApart,
      feedForward: (width) => experts(context, width, expertsEitherWay),
    }),
  ignoredTensors,
};

interface Qwen3Next {
  readonly project: (context: ModelContext, shape: DeltaShape) => (x: Value, module: string) => DeltaInputs;
  readonly feedForward: (width: number) => Sublayer;
}

function buildQwen3Next(context: ModelContext, { project, feedForward }: Qwen3Next): void {
  const { g, config } = context;
  const shape = groupedShape(config, { headDim: 256, keyValueHeads: 2 });
  const { width, headDim } = shape;
  const step = causalStep(g);
  const bias = config.boolean("attention_bias", { default: false });
  const lanes = partialRotaryLanes(config, headDim, 0.25);
  const angles = rotaryAngles(context, step.positionIds, headDim, { lanes });
  const attention = selfAttention(context, {
    step,
    shape,
    heads: gatedProjections(context, shape, bias),
    outputBias: bias,
    adjust: normPerHead(shiftedRmsNorms(context, headDim)),
    angles: () => angles,
  });
  const delta = deltaShape(config, width);
  const recurrence = gatedDeltaNet(context, { step, shape: delta, project: project(context, delta) });
  const period = config.integer("full_attention_interval", { default: 4 });
  const isRecurrent = recurrentLayers(config, (layer) => (layer + 1) % period !== 0);
  buildDecoder(context, {
    step,
    shape,
    norm: shiftedRmsNorms(context, width),
    attention: (x, layer) => (isRecurrent(layer.index) ? recurrence : attention)(x, layer),
    feedForward: feedForward(width),
  });
}

function experts(context: ModelContext, width: number, stored: ExpertBlock): Sublayer {
  return qwenFeedForward(context, {
    width,
    perRow: 10,
    normalize: context.config.boolean("norm_topk_prob", { default: true }),
    experts: stored,
    shared: gatedSharedExpert(context, width),
  });
}

/** Experts stored in separate tensors or stacked. */
const expertsEitherWay: ExpertBlock = (context, sizes) => {
  const [apart, stacked] = [gatedExperts(context, sizes), stackedExperts(context, sizes)];
  return (rows, module) =>
    (context.parameters.has(`${module}.experts.gate_up_proj`) ? stacked : apart)(rows, module);
};

/**
 * Two matrices, grouped by key head: `[key head, (query | key | values | gates)]` and `[key head, (rates | decays)]`.
 */
function projectGroups(context: ModelContext, shape: DeltaShape): (x: Value, module: string) => DeltaInputs {
  const { g } = context;
  const { width, keys, values, keyDim, valueDim } = shape;
  const group = values / keys;
  const cut = (x: Value, name: string, sizes: readonly number[]): Value[] => {
    const size = sizes.reduce((sum, part) => sum + part, 0);
    const projection = { name, inputs: width, outputs: keys * size, bias: false };
    const apart = g.reshape(linear(context, x, projection), [0, 0, keys, size]);
    return g.split(apart, sizes, 3).map((part, at) => g.reshape(part, [0, 0, keys * sizes[at]!]));
  };
  return (x, module) => {
    const parts = [keyDim, keyDim, group * valueDim, group * valueDim];
    const [query, key, value, gate] = cut(x, `${module}.in_proj_qkvz`, parts);
    const [rate, decay] = cut(x, `${module}.in_proj_ba`, [group, group]);
    return { mixed: g.concat([query!, key!, value!], 2), gate: gate!, rate: rate!, decay: decay! };
  };
}

/** Separate matrices. */
function projectApart(context: ModelContext, shape: DeltaShape): (x: Value, module: string) => DeltaInputs {
  const { width, keys, values, keyDim, valueDim } = shape;
  return (x, module) => {
    const project = (name: string, outputs: number): Value =>
      linear(context, x, { name: `${module}.${name}`, inputs: width, outputs, bias: false });
    return {
      mixed: project("in_proj_qkv", 2 * keys * keyDim + values * valueDim),
      gate: project("in_proj_z", values * valueDim),
      rate: project("in_proj_b", values),
      decay: project("in_proj_a", values),
    };
  };
}
