import type { ConfigReader } from "../../checkpoint/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder, type Sublayer } from "../blocks/decoder.js";
import { expertSublayer, sharedExpert, stackedExperts } from "../blocks/experts.js";
import { gatedFeedForward } from "../blocks/feed-forward.js";
import { plainRmsNorms, rmsNorms } from "../blocks/norms.js";
import { linear } from "../blocks/projections.js";
import { grownQueries } from "../blocks/query-growth.js";
import { normOfTurned, normPerHead } from "../blocks/query-key-norm.js";
import type { QueryKeyValue } from "../blocks/query-key-value.js";
import { rotaryAngles, rotaryBuffers } from "../blocks/rotary.js";
import { expertCounts, type Routes } from "../blocks/routing.js";
import { selfAttention } from "../blocks/self-attention.js";

/**
 * https://ai.meta.com/blog/llama-4-multimodal-intelligence/: one routed expert per row, which reads the row scaled, and
 * a shared one. Layers with rotary positions attend within chunks; every few layers, one has full attention without
 * positions, and its queries grow with their position.
 */
export const llama4: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config, { headDim: 128, keyValueHeads: 8 });
    const { width, headDim, layers } = shape;
    const step = causalStep(g);
    const bias = config.boolean("attention_bias", { default: false });
    const isRotary = rotaryLayers(config, layers);
    const angles = rotaryAngles(context, step.positionIds, headDim, {
      interleaved: true,
      defaultTheta: 500_000,
    });
    const same = (heads: QueryKeyValue): QueryKeyValue => heads;
    const turn = normOfTurned(
      g,
      angles,
      config.boolean("use_qk_norm", { default: true })
        ? normPerHead(plainRmsNorms(context, headDim, 1e-5))
        : same,
    );
    const grow = growsQueries(config)
      ? grownQueries(g, g.add(step.positionIds, g.integer(1)), {
          rate: config.number("attn_scale", { default: 0.1 }),
          context: config.integer("floor_scale", { default: 8192 }),
        })
      : same;
    buildDecoder(context, {
      step,
      shape,
      norm: rmsNorms(context, width, 1e-5),
      attention: selfAttention(context, {
        step,
        shape,
        bias,
        outputBias: bias,
        adjust: (heads, module, { index }) => (isRotary(index) ? turn(heads, module) : grow(heads)),
        angles: () => undefined,
        window: chunks(config, isRotary),
        chunked: true,
      }),
      feedForward: feedForward(context, width),
    });
  },
  ignoredTensors: rotaryBuffers,
};

/** Despite its name, `no_rope_layers` has a 1 for layers that do have rotary positions. */
function rotaryLayers(config: ConfigReader, layers: number): (layer: number) => boolean {
  const interval = config.integer("no_rope_layer_interval", { default: 4 });
  const listed = config.optionalIntegers("no_rope_layers", { min: 0, max: 1 }) ?? [];
  if (listed.length === 0) return (layer) => (layer + 1) % interval !== 0;
  if (listed.length < layers) {
    throw config.error(
      `expected "no_rope_layers" to have an entry for each of ${layers} layers, got ${listed.length}`,
    );
  }
  return (layer) => listed[layer] === 1;
}

/** The chunk size of a layer; undefined for full attention. */
function chunks(
  config: ConfigReader,
  isRotary: (layer: number) => boolean,
): (layer: number) => number | undefined {
  const types = config.optionalStrings("layer_types");
  return (layer) => {
    const type =
      types === undefined ? (isRotary(layer) ? "chunked_attention" : "full_attention") : types[layer];
    if (type === "full_attention") return undefined;
    if (type !== "chunked_attention") {
      throw config.error(
        `expected "layer_types" to be full_attention or chunked_attention for layer ${layer}, got ${type ?? "none"}`,
      );
    }
    if (config.isNull("attention_chunk_size")) {
      throw config.error(`layer ${layer} attends in chunks, but "attention_chunk_size" is null`);
    }
    return config.integer("attention_chunk_size", { default: 8192 });
  };
}

/** Experts in the layers that `moe_layers` lists, or in every n-th; a wider feed-forward in the others. */
function feedForward(context: ModelContext, width: number): Sublayer {
  const { config } = context;
  const activation = config.string("hidden_act", { default: "silu" });
  const inner = config.integer("intermediate_size");
  const step = config.integer("interleave_moe_layer_step", { default: 1 });
  const listed = config.optionalIntegers("moe_layers", { min: 0 });
  const hasExperts = (layer: number) => listed?.includes(layer) ?? (layer + 1) % step === 0;
  const dense: Sublayer = (x, { module }) =>
    gatedFeedForward(context, x, {
      prefix: `${module}.feed_forward`,
      width,
      inner: config.integer("intermediate_size_mlp", { default: 16384 }),
      bias: false,
      activation,
    });
  const sparse = experts(context, width, inner, activation);
  return (x, layer) => (hasExperts(layer.index) ? sparse : dense)(x, layer);
}

/** @throws RR_CONFIG for more than one expert per row: each would scale the row by a different factor */
function experts(context: ModelContext, width: number, inner: number, activation: string): Sublayer {
  const { g, config } = context;
  const counts = expertCounts(context, 1);
  if (counts.perRow !== 1) {
    throw config.error('expected "num_experts_per_tok" to be 1, as in every Llama 4');
  }
  const router = { inputs: width, outputs: counts.experts, bias: false };
  return expertSublayer(context, {
    counts,
    width,
    module: "feed_forward",
    route(rows, module): Routes {
      const logits = linear(context, rows, { ...router, name: `${module}.router` });
      const [largest, indices] = g.topK(logits, 1);
      return { weights: g.numbers([1], [1, 1]), indices, growth: g.sigmoid(largest) };
    },
    run: stackedExperts(context, { ...counts, width, inner, activation, outputsFirst: false }),
    shared: sharedExpert(context, { name: "shared_expert", width, inner, bias: false, activation }),
  });
}

/** The field is a boolean, but the first published configs have a 4, which Python treats as true. */
function growsQueries(config: ConfigReader): boolean {
  const field = "attn_temperature_tuning";
  if (typeof config.raw(field) === "number") return config.integer(field, { min: 0 }) > 0;
  return config.boolean(field, { default: true });
}
