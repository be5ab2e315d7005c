import type { Value } from "../../graph/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import { activate } from "../blocks/activations.js";
import { type AttentionShape, separateHeads } from "../blocks/attention.js";
import { withoutPadding } from "../blocks/causal-convolution.js";
import { attentionMaskOf, type EncoderInput } from "../blocks/encoder-input.js";
import { layerNorm } from "../blocks/norms.js";
import { linear } from "../blocks/projections.js";
import { buildBert, type LayerAttention } from "./bert.js";
import { debertaEpsilon, debertaFrame, debertaIgnored, readDeberta } from "./deberta.js";
import { disentangledAttention, distanceEmbeddings } from "./disentangled-attention.js";

/**
 * DeBERTa with distances in buckets, and optionally with shared projections for content and positions, and with a
 * convolution beside the first layer; also version 3. https://arxiv.org/abs/2111.09543
 */
export const debertaV2: Architecture = {
  build(context) {
    const { config } = context;
    const taps = config.integer("conv_kernel_size", { min: 0, default: 0 });
    buildBert(context, {
      ...debertaFrame(context),
      attention: (input, shape) => debertaAttention(context, input, shape),
      ...(taps > 0 && {
        leaveFirst: (x, embedded, input) =>
          addConvolution(context, x, withoutPadding(context.g, embedded, input), taps),
      }),
    });
  },
  ignoredTensors: debertaIgnored,
};

/**
 * The first layer's output together with a convolution over its input, `[batch, sequence, width]` each:
 * `norm(x + act(convolution(embedded)))`.
 */
function addConvolution(context: ModelContext, x: Value, embedded: Value, taps: number): Value {
  const { g, config, parameters } = context;
  const width = config.integer("hidden_size");
  const groups = config.integer("conv_groups", { default: 1 });
  if (taps % 2 === 0) throw config.error(`expected "conv_kernel_size" to be odd, got ${taps}`);
  if (width % groups !== 0) {
    throw config.error(
      `expected "hidden_size" to be a multiple of "conv_groups", got ${width} and ${groups}`,
    );
  }
  const name = "deberta.encoder.conv";
  const kernel = parameters.get(`${name}.conv.weight`, [width, width / groups, taps]);
  const bias = parameters.get(`${name}.conv.bias`, [width]);
  const channels = g.transpose(embedded, [0, 2, 1]);
  const convolved = g.transpose(g.convolution(channels, kernel, bias, { groups, taps }), [0, 2, 1]);
  const activated = activate(context, config.string("conv_act", { default: "tanh" }), convolved);
  const epsilon = config.number("layer_norm_eps", { min: 0, default: debertaEpsilon });
  return layerNorm(context, g.add(x, activated), { name: `${name}.LayerNorm`, width, epsilon });
}

function debertaAttention(context: ModelContext, input: EncoderInput, shape: AttentionShape): LayerAttention {
  const { g, config } = context;
  const { keys, queries, terms, reach } = readDeberta(context);
  const { width, heads, headDim } = shape;
  const mask = attentionMaskOf(g, input);
  const distances = reach === undefined ? undefined : bucketEmbeddings(context, input, reach, width);
  const shared = config.boolean("share_att_key", { default: false });
  return (x, prefix) => {
    const project = (of: Value, name: string): Value =>
      linear(context, of, { name: `${prefix}.self.${name}`, inputs: width, outputs: width });
    const content = (name: string) => separateHeads(g, project(x, name), heads, headDim);
    const ofDistances = (name: string) =>
      distances && project(distances, shared ? `${name}_proj` : `pos_${name}_proj`);
    const mixed = disentangledAttention(context, {
      query: content("query_proj"),
      key: content("key_proj"),
      value: content("value_proj"),
      distanceKeys: keys ? ofDistances("key") : undefined,
      distanceQueries: queries ? ofDistances("query") : undefined,
      terms,
      shape,
      input,
      mask,
    });
    return linear(context, mixed, { name: `${prefix}.output.dense`, inputs: width, outputs: width });
  };
}

/** Embeddings of distances as {@link distanceEmbeddings}, in buckets if the config says so, and normed if it does. */
function bucketEmbeddings(context: ModelContext, input: EncoderInput, reach: number, width: number): Value {
  const { config, parameters } = context;
  const buckets = config.integer("position_buckets", { min: -1, default: -1 });
  if (buckets > 0 && (buckets < 2 || reach - 1 <= Math.floor(buckets / 2))) {
    throw config.error(
      'expected "position_buckets" to be 2 or more, and half of it less than the largest distance, ' +
        `got ${buckets} for distances up to ${reach}`,
    );
  }
  const span = buckets > 0 ? buckets : reach;
  const bucketOf = (distance: number) => (buckets > 0 ? logBucket(distance, buckets, reach) : distance);
  const isNormed = config.string("norm_rel_ebd", { default: "none" }).split("|").includes("layer_norm");

  const embeddings = distanceEmbeddings(context, input, {
    table: parameters.get("deberta.encoder.rel_embeddings.weight", [2 * span, width]),
    reach,
    rowOf: (distance) => Math.min(Math.max(bucketOf(distance) + span, 0), 2 * span - 1),
  });
  if (!isNormed) return embeddings;
  const epsilon = config.number("layer_norm_eps", { min: 0, default: debertaEpsilon });
  return layerNorm(context, embeddings, { name: "deberta.encoder.LayerNorm", width, epsilon });
}

/**
 * Distances up to half the number of buckets have a bucket each. Larger ones share the other half, in buckets whose
 * width grows exponentially; `maxDistance − 1` is in the last one.
 */
function logBucket(distance: number, buckets: number, maxDistance: number): number {
  const { abs, ceil, fround, log, sign } = Math;
  const exact = Math.floor(buckets / 2);
  if (abs(distance) <= exact) return distance;
  // In float32, as transformers does, so that distances on the border of two buckets go to the same one.
  const ratio = fround(fround(log(fround(abs(distance) / exact))) / fround(log((maxDistance - 1) / exact)));
  return sign(distance) * (exact + ceil(fround(ratio * (exact - 1))));
}
