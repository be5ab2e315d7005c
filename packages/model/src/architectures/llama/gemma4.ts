import type { ConfigReader } from "../../checkpoint/index.js";
import type { Value } from "../../graph/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import { type AttentionShape, groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder, type Layer, type Sublayer } from "../blocks/decoder.js";
import { expertSublayer, stackedExperts } from "../blocks/experts.js";
import { gatedFeedForward } from "../blocks/feed-forward.js";
import { layerTypes } from "../blocks/layer-windows.js";
import { rmsNorms } from "../blocks/norms.js";
import { perLayerEmbedding, perLayerGate } from "../blocks/per-layer-embedding.js";
import { rotaryAngles, rotaryBuffers } from "../blocks/rotary.js";
import { expertCounts, softmaxRouter } from "../blocks/routing.js";
import { type SharedAttentionType, sharedAttention, unusedByShared } from "../blocks/shared-attention.js";
import { gemmaNorms, laterGemmaActivation } from "./gemma.js";

/**
 * https://ai.google.dev/gemma/docs/core/model_card_4: full-attention layers with a head size of their own, keys and
 * values shared between layers, and, if the config asks for them, per-layer embeddings and experts next to the
 * feed-forward.
 */
export const gemma4: Architecture = {
  build: (context) => buildGemma4(context, { window: 512, perLayerLanes: 256 }),
  ignoredTensors: rotaryBuffers,
};

/** The text part of the unified multimodal model: by default without per-layer embeddings. */
export const gemma4Unified: Architecture = {
  build: (context) => buildGemma4(context, { window: 1024, perLayerLanes: 0 }),
  ignoredTensors: rotaryBuffers,
};

/** Used if the config does not say. */
interface Gemma4Defaults {
  readonly window: number;
  readonly perLayerLanes: number;
}

function buildGemma4(context: ModelContext, defaults: Gemma4Defaults): void {
  const { g, config, parameters } = context;
  if (config.string("use_bidirectional_attention", { default: "vision" }) !== "vision") {
    throw config.error(
      '"use_bidirectional_attention" makes attention over text bidirectional; expected null or "vision"',
    );
  }
  const shape = groupedShape(config, { headDim: 256, keyValueHeads: 4 });
  const { width, layers } = shape;
  const step = causalStep(g);
  const firstShared = layers - config.integer("num_kv_shared_layers", { min: 0, max: layers, default: 0 });
  unusedByShared(context, firstShared, layers);
  const perLayer = perLayerInputs(context, shape, defaults.perLayerLanes);
  buildDecoder(context, {
    step,
    shape,
    norms: hasExperts(config)
      ? { ...gemmaNorms, feedForward: { after: gemmaNorms.feedForward.after } }
      : gemmaNorms,
    embeddingScale: Math.sqrt(width),
    enter: (tokens) => perLayer?.enter(tokens, step.inputIds) ?? tokens,
    attention: sharedAttention(context, {
      step,
      typeOf: attentionTypes(context, shape, step.positionIds, defaults.window),
      firstShared,
      bias: config.boolean("attention_bias", { default: false }),
    }),
    feedForward: feedForward(context, width, firstShared),
    leaveLayer: (x, layer) =>
      g.mul(perLayer?.leaveLayer(x, layer) ?? x, parameters.get(`${layer.module}.layer_scalar`, [1])),
    logitCap: config.optionalNumber("final_logit_softcapping", { min: Number.MIN_VALUE }),
    tiedByDefault: true,
  });
}

/** By default, every sixth layer has full attention. The last layer always does, whatever the config says. */
function attentionTypes(
  context: ModelContext,
  shape: AttentionShape,
  positionIds: Value,
  defaultWindow: number,
): (layer: number) => SharedAttentionType {
  const { config } = context;
  const listed = layerTypes(config, (layer) => (layer + 1) % 6 !== 0);
  const nameOf = (layer: number) => (layer === shape.layers - 1 ? "full_attention" : listed(layer));
  const keysAreValues = config.boolean("attention_k_eq_v", { default: false });
  const sliding = (): SharedAttentionType => {
    const own = shapeOfType(config, shape, "sliding_attention", nameOf);
    return {
      shape: own,
      angles: rotaryAngles(context, positionIds, own.headDim, { layerType: "sliding_attention" }),
      window: config.integer("sliding_window", { default: defaultWindow }),
      valuesAreKeys: false,
    };
  };
  const full = (): SharedAttentionType => {
    const own = shapeOfType(config, shape, "full_attention", nameOf);
    return {
      shape: own,
      angles: rotaryAngles(context, positionIds, own.headDim, {
        defaultTheta: 1_000_000,
        defaultScaling: { type: "proportional", factor: 1, fraction: 0.25 },
      }),
      window: undefined,
      valuesAreKeys: keysAreValues,
    };
  };
  const types = new Map<string, SharedAttentionType>();
  return (layer) => {
    const name = nameOf(layer);
    const type = types.get(name) ?? (name === "full_attention" ? full() : sliding());
    types.set(name, type);
    return type;
  };
}

/**
 * The shape of all layers of a type. `per_layer_config` has the settings that differ between layers; older configs have
 * separate fields for full-attention layers instead.
 *
 * @throws RR_CONFIG unless layers of a type are the same
 */
function shapeOfType(
  config: ConfigReader,
  shape: AttentionShape,
  type: "full_attention" | "sliding_attention",
  nameOf: (layer: number) => string,
): AttentionShape {
  const perLayer = config.optionalObject("per_layer_config");
  const shapeOf = (layer: number): AttentionShape => {
    const own = perLayer?.optionalObject(`${layer}`);
    const names = own?.names().filter((name) => name !== "head_dim" && name !== "num_key_value_heads") ?? [];
    if (names.length > 0)
      throw config.error(`"per_layer_config" gives layer ${layer} a "${names[0]}" of its own`);
    const sizes =
      perLayer === undefined && type === "full_attention"
        ? fullSizes(config)
        : {
            headDim: own?.optionalInteger("head_dim"),
            keyValueHeads: own?.optionalInteger("num_key_value_heads"),
          };
    const { headDim = shape.headDim, keyValueHeads = shape.keyValueHeads } = sizes;
    if (shape.heads % keyValueHeads !== 0) {
      throw config.error(
        `expected "num_attention_heads" to be a multiple of the key heads of layer ${layer}, got ${shape.heads} and ` +
          `${keyValueHeads}`,
      );
    }
    return { ...shape, headDim, keyValueHeads };
  };
  const layers = Array.from({ length: shape.layers }, (_, layer) => layer).filter(
    (layer) => nameOf(layer) === type,
  );
  const [first, ...others] = layers.map(shapeOf);
  const differs = others.some(
    ({ headDim, keyValueHeads }) => headDim !== first!.headDim || keyValueHeads !== first!.keyValueHeads,
  );
  if (differs) throw config.error(`expected "per_layer_config" to be the same for all layers of ${type}`);
  return first!;
}

function fullSizes(config: ConfigReader) {
  const isGrouped = config.boolean("attention_k_eq_v", { default: false });
  return {
    headDim: config.integer("global_head_dim", { max: 2 ** 16, default: 512 }),
    keyValueHeads: isGrouped ? config.optionalInteger("num_global_key_value_heads") : undefined,
  };
}

function hasExperts(config: ConfigReader): boolean {
  return config.boolean("enable_moe_block", { default: false });
}

/**
 * A feed-forward, twice as wide in layers with shared keys and values if the config says so, and experts next to it.
 */
function feedForward(context: ModelContext, width: number, firstShared: number): Sublayer {
  const { g, config } = context;
  const activation = laterGemmaActivation(config);
  const inner = config.integer("intermediate_size");
  const doubles = config.boolean("use_double_wide_mlp", { default: false }) && firstShared > 0;
  const dense: Sublayer = (x, { index, module }) =>
    gatedFeedForward(context, x, {
      prefix: `${module}.mlp`,
      width,
      inner: doubles && index >= firstShared ? 2 * inner : inner,
      bias: false,
      activation,
    });
  if (!hasExperts(config)) return dense;
  const norm = rmsNorms(context, width);
  const sparse = experts(context, width, activation);
  return (x, layer) => {
    const named = (name: string) => `${layer.module}.${name}`;
    const ofDense = dense(norm(x, named("pre_feedforward_layernorm")), layer);
    return g.add(
      norm(ofDense, named("post_feedforward_layernorm_1")),
      norm(sparse(x, layer), named("post_feedforward_layernorm_2")),
    );
  };
}

/** Router and experts have separate norms of the residual stream. Each expert's routing weight has a learned scale. */
function experts(context: ModelContext, width: number, activation: string): Sublayer {
  const { g, config, parameters } = context;
  const counts = expertCounts(context);
  const norm = rmsNorms(context, width);
  const epsilon = config.number("rms_norm_eps", { min: 0, default: 1e-6 });
  const inner = config.integer("moe_intermediate_size");
  const choose = softmaxRouter(context, { counts, width, normalize: true, name: "router.proj" });
  const run = stackedExperts(context, { ...counts, width, inner, activation, outputsFirst: true });
  return expertSublayer(context, {
    counts,
    width,
    module: null,
    route: (rows, module) => {
      const scale = g.mul(parameters.get(`${module}.router.scale`, [width]), g.numbers([width ** -0.5]));
      const { weights, indices } = choose(g.rmsNormalization(rows, scale, epsilon), module);
      const growth = g.gather(
        parameters.get(`${module}.router.per_expert_scale`, [counts.experts]),
        indices,
        0,
      );
      return { weights: g.mul(weights, growth), indices };
    },
    run: (rows, module) => run(norm(rows, `${module}.pre_feedforward_layernorm_2`), module),
  });
}

/** Per-layer embeddings, if the config gives them lanes. */
function perLayerInputs(context: ModelContext, { layers, width }: AttentionShape, defaultLanes: number) {
  const { g, config } = context;
  const lanes = config.integer("hidden_size_per_layer_input", { min: 0, default: defaultLanes });
  if (lanes === 0) return undefined;
  const rows = config.integer("vocab_size_per_layer_input", { default: 262144 });
  const activation = laterGemmaActivation(config);
  let inputOf: ((layer: number) => Value) | undefined;
  return {
    enter(tokens: Value, inputIds: Value): Value {
      inputOf = perLayerEmbedding(context, { inputIds, tokens, layers, width, lanes, rows });
      return tokens;
    },
    leaveLayer(x: Value, layer: Layer): Value {
      const input = inputOf!(layer.index);
      return g.add(x, perLayerGate(context, x, input, layer, { width, lanes, activation }));
    },
  };
}
