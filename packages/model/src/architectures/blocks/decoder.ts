import { interfaceNames, type Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import type { AttentionShape } from "./attention.js";
import type { CausalStep } from "./causal-step.js";
import { type EmbeddingTable, embedding } from "./embedding.js";
import { languageHead, selectRows } from "./language-head.js";
import { type NamedNorm, rmsNorms } from "./norms.js";
import { saysTied } from "./tied-weights.js";

/** One of a decoder's layers. */
export interface Layer {
  readonly index: number;
  /** The module that holds the layer's modules. */
  readonly module: string;
}

/** A part of every layer that adds to the residual stream, `[batch, sequence, width]` to the same. */
export type Sublayer = (x: Value, layer: Layer) => Value;

/** Names, within the layer's module, of the norms around a sublayer; undefined if there is none. */
interface NormsAround {
  readonly before?: string;
  /** Of the sublayer's output. */
  readonly after?: string;
  /** Of the residual stream, once the sublayer has added to it. */
  readonly ofSum?: string;
}

export interface DecoderNorms {
  readonly attention: NormsAround;
  readonly feedForward: NormsAround;
}

/** The names of a family's modules. */
export interface DecoderModules {
  readonly embedding: string;
  /** Contains the layers, by number. */
  readonly layers: string;
  /** Undefined if there is no norm after the layers. */
  readonly lastNorm: string | undefined;
  /** Used if the head is not the embedding. */
  readonly head: string;
}

/** A residual stream, from embedded tokens through all layers. */
export interface Stream {
  readonly shape: Pick<AttentionShape, "layers" | "width">;
  readonly attention: Sublayer;
  /** Default: none, so that each layer is a single sublayer. */
  readonly feedForward?: Sublayer;
  /** Default: Llama's. */
  readonly modules?: DecoderModules;
  /** Whether the feed-forward reads the same stream as attention, so that their sums are one. Default false. */
  readonly parallel?: boolean;
  /** Whether sublayers add to what they read, the normed stream, and not to the stream itself. Default false. */
  readonly addToNormed?: boolean;
  /** Default: RMSNorm, `rms_norm_eps`. */
  readonly norm?: NamedNorm;
  /** Default: one before each sublayer, under Llama's names. */
  readonly norms?: DecoderNorms;
  /** Of rows of the embedding. Default: that of the stream. */
  readonly embeddingWidth?: number;
  /** Of rows of the embedding. Default 1. */
  readonly embeddingScale?: number;
  /** Applied to embedded tokens before the first layer. Default: nothing. */
  readonly enter?: (tokens: Value) => Value;
  /** Applied to the stream after a layer's sublayers. Default: nothing. */
  readonly leaveLayer?: (x: Value, layer: Layer) => Value;
  /** Of what sublayers add. Default 1. */
  readonly residualScale?: number;
}

export interface Decoder extends Stream {
  readonly step: CausalStep;
  /** Applied to normed rows, `[rows, width]`, before the head. Default: nothing. */
  readonly leave?: (rows: Value) => Value;
  /** Of the logits. Default 1. */
  readonly logitScale?: number;
  /** The logits' bound. Default: none. */
  readonly logitCap?: number | undefined;
  /** Whether the head has a bias. Default false. */
  readonly headBias?: boolean;
  /** Whether the head is the embedding, if the config does not say. Default false. */
  readonly tiedByDefault?: boolean;
}

const llamaModules: DecoderModules = {
  embedding: "model.embed_tokens",
  layers: "model.layers",
  lastNorm: "model.norm",
  head: "lm_head",
};

const llamaNorms: DecoderNorms = {
  attention: { before: "input_layernorm" },
  feedForward: { before: "post_attention_layernorm" },
};

/** One norm before both sublayers, for parallel ones. */
export const sharedNorm: DecoderNorms = {
  attention: { before: "input_layernorm" },
  feedForward: { before: "input_layernorm" },
};

/** A standalone decoder: embedding, layers of attention and feed-forward, norm, head if any. */
export function buildDecoder(context: ModelContext, decoder: Decoder): void {
  const { g, config, parameters, isHeadless } = context;
  const { step, shape, modules = llamaModules, leave = same } = decoder;
  if (config.optionalBoolean("is_causal") === false) {
    throw config.error(
      '"is_causal" is false; expected true, since every token here only sees those before it',
    );
  }
  const x = residualStream(context, step.inputIds, decoder);
  if (isHeadless) {
    const width = tableOf(context, decoder).width;
    const hidden = leave(lastNormed(context, x, decoder));
    g.output(interfaceNames.lastHiddenState, hidden, "float32", ["batch", "sequence", width]);
    for (const name of ["weight", "bias"]) parameters.ignore(`${modules.head}.${name}`);
    return;
  }
  const rows = selectRows(g, x, shape.width);
  languageHead(context, leave(lastNormed(context, rows, decoder)), {
    table: tableOf(context, decoder),
    separate: `${modules.head}.weight`,
    isTied: saysTied(context, decoder.tiedByDefault ?? false),
    ...(decoder.headBias ? { bias: `${modules.head}.bias` } : {}),
    scale: decoder.logitScale ?? 1,
    cap: decoder.logitCap,
  });
}

/**
 * The stream after the last layer, `[batch, sequence, width]`.
 *
 * @param ids int64 `[batch, sequence]`
 */
export function residualStream(context: ModelContext, ids: Value, stream: Stream): Value {
  const { g } = context;
  const { shape, parallel = false, addToNormed = false } = stream;
  const { modules = llamaModules, norms = llamaNorms } = stream;
  const { embeddingScale = 1, residualScale = 1, enter = same, leaveLayer = same } = stream;
  const norm = normOf(context, stream);
  const scaled = (x: Value, scale: number): Value => (scale === 1 ? x : g.mul(x, g.numbers([scale])));

  let x = enter(scaled(embedding(context, ids, tableOf(context, stream)), embeddingScale));
  for (let index = 0; index < shape.layers; index++) {
    const layer: Layer = { index, module: `${modules.layers}.${index}` };
    const normed = (x: Value, name: string | undefined): Value =>
      name === undefined ? x : norm(x, `${layer.module}.${name}`);
    const add = (x: Value, added: Value, { after, ofSum }: NormsAround): Value =>
      normed(g.add(x, scaled(normed(added, after), residualScale)), ofSum);

    const read = normed(x, norms.attention.before);
    const attended = add(addToNormed ? read : x, stream.attention(read, layer), norms.attention);
    const forward = (feedForward: Sublayer): Value => {
      const shared = parallel && norms.feedForward.before === norms.attention.before;
      const readNext = shared ? read : normed(parallel ? x : attended, norms.feedForward.before);
      return add(addToNormed ? readNext : attended, feedForward(readNext, layer), norms.feedForward);
    };
    x = leaveLayer(stream.feedForward === undefined ? attended : forward(stream.feedForward), layer);
  }
  return x;
}

/** Applies the norm after the layers, if there is one. */
export function lastNormed(context: ModelContext, x: Value, stream: Stream): Value {
  const { lastNorm } = stream.modules ?? llamaModules;
  return lastNorm === undefined ? x : normOf(context, stream)(x, lastNorm);
}

/** The stream's embedding. */
export function tableOf({ config }: ModelContext, stream: Stream): EmbeddingTable {
  const { modules = llamaModules, shape, embeddingWidth = shape.width } = stream;
  return {
    name: `${modules.embedding}.weight`,
    rows: config.integer("vocab_size"),
    width: embeddingWidth,
  };
}

function normOf(context: ModelContext, { norm, shape }: Stream): NamedNorm {
  return norm ?? rmsNorms(context, shape.width);
}

function same(x: Value): Value {
  return x;
}
