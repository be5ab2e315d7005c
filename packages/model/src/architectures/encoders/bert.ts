import type { Value } from "../../graph/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import { type AttentionShape, multiHeadShape } from "../blocks/attention.js";
import type { EmbeddingTable } from "../blocks/embedding.js";
import { encoderSelfAttention } from "../blocks/encoder-attention.js";
import { encoderEmbedding } from "../blocks/encoder-embedding.js";
import {
  attentionMaskOf,
  consecutivePositions,
  type EncoderInput,
  encoderInput,
} from "../blocks/encoder-input.js";
import { encoderLayer } from "../blocks/encoder-layer.js";
import { type MaskedHead, maskedHead } from "../blocks/masked-head.js";
import { layerNorm } from "../blocks/norms.js";
import { linear } from "../blocks/projections.js";

/** The heads of other tasks, above all next sentence prediction; and a buffer. */
export const bertIgnored: readonly RegExp[] = [
  /(^|\.)pooler\./,
  /^cls\.seq_relationship\./,
  /(^|\.)embeddings\.position_ids$/,
];

/** https://arxiv.org/abs/1810.04805 */
export const bert: Architecture = {
  build: (context) =>
    buildBert(context, {
      model: "bert",
      head: bertHead(context),
      positions: (input) => consecutivePositions(context.g, input),
    }),
  ignoredTensors: bertIgnored,
};

/** The activation of the head, and the names of its modules and tensors, as in a {@link MaskedHead}. */
export interface BertHead {
  readonly dense: string;
  readonly norm: string;
  readonly activation: string;
  readonly separate?: string;
  readonly bias: string;
  readonly biasAlias?: string;
  /** As in a {@link MaskedHead}. */
  readonly ownWidth?: number;
}

/** What differs between families with this graph. */
export interface BertDifferences {
  /** The prefix of tensor names. */
  readonly model: string;
  readonly head: BertHead;
  /** Indices of rows in the table of positions, int64 `[batch, sequence]`. Default: there is no such table. */
  readonly positions?: (input: EncoderInput) => Value;
  /** Width of the embeddings; they are projected if it is not that of the residual stream. Default: no difference. */
  readonly embeddingWidth?: number;
  /** Of the embeddings of tokens. Default 1. */
  readonly tokenScale?: number;
  /** What projects embeddings to the width of the residual stream. Default: `embeddings_project`, if widths differ. */
  readonly embeddingProjection?: EmbeddingProjection;
  /** Whether the sum of embeddings is normed before or after it is projected. Default: before. */
  readonly embeddingNorm?: "before" | "after" | "none";
  /** Names of the norms in a pre-norm encoder. Default: the encoder is post-norm. */
  readonly normsBefore?: NormsBefore;
  /** ε of all norms, if the config does not say. Default 1e-12. */
  readonly defaultEpsilon?: number;
  /** Activation of feed-forwards, if the config does not say. Default `gelu`. */
  readonly defaultActivation?: string;
  /** Rows of the table of token types, 0 for no table, if the config does not say. Default 2. */
  readonly defaultTokenTypes?: number;
  /** Additional tables of this kind, of which every token gets row 0. */
  readonly kinds?: readonly EmbeddingTable[];
  /** Default: {@link bertAttention} with a mask of padding. */
  readonly attention?: (input: EncoderInput, shape: AttentionShape) => LayerAttention;
  /** Applied to the first layer's output; `embedded` is its input. Default: nothing. */
  readonly leaveFirst?: (x: Value, embedded: Value, input: EncoderInput) => Value;
}

interface EmbeddingProjection {
  /** The module's name within the model. */
  readonly name: string;
  /** Default true. */
  readonly bias?: boolean;
  /** Whether it is there even if widths are equal. Default false. */
  readonly always?: boolean;
}

interface NormsBefore {
  /** Module names within the layer. */
  readonly attention: string;
  readonly feedForward: string;
  /** Name of the norm after the last layer. */
  readonly last: string;
}

const defaultProjection: EmbeddingProjection = { name: "embeddings_project" };

/** Attention of the layer whose tensor names begin with `prefix`. */
export type LayerAttention = (x: Value, prefix: string, layer: number) => Value;

/** Embeddings, post-norm or pre-norm layers, and a head with a transform. */
export function buildBert(context: ModelContext, differences: BertDifferences): void {
  const { g, config } = context;
  refuseDecoders(context);
  const { model, head, positions, kinds = [], normsBefore, embeddingNorm = "before" } = differences;
  const { defaultEpsilon = 1e-12, defaultActivation = "gelu", defaultTokenTypes = 2 } = differences;
  const shape = multiHeadShape(config);
  const { width } = shape;
  const embeddingWidth = differences.embeddingWidth ?? width;
  const epsilon = config.number("layer_norm_eps", { min: 0, default: defaultEpsilon });
  const inner = config.integer("intermediate_size");
  const activation = config.string("hidden_act", { default: defaultActivation });
  const tokenTypes = config.integer("type_vocab_size", { min: 0, default: defaultTokenTypes });
  const tableOf = (name: string, rows: number): EmbeddingTable => ({
    name: `${model}.embeddings.${name}.weight`,
    rows,
    width: embeddingWidth,
  });

  const input = encoderInput(g);
  const table = tableOf("word_embeddings", config.integer("vocab_size"));
  const norm = { name: `${model}.embeddings.LayerNorm`, epsilon };
  let x = encoderEmbedding(context, input, {
    table,
    scale: differences.tokenScale ?? 1,
    ...(positions && {
      positions: {
        table: tableOf("position_embeddings", config.integer("max_position_embeddings")),
        ids: positions(input),
      },
    }),
    kinds: [...(tokenTypes > 0 ? [tableOf("token_type_embeddings", tokenTypes)] : []), ...kinds],
    norm: embeddingNorm === "before" ? norm : undefined,
  });
  const { name, bias = true, always = false } = differences.embeddingProjection ?? defaultProjection;
  if (always || embeddingWidth !== width) {
    x = linear(context, x, { name: `${model}.${name}`, inputs: embeddingWidth, outputs: width, bias });
  }
  if (embeddingNorm === "after") x = layerNorm(context, x, { ...norm, width });
  const attention = differences.attention?.(input, shape) ?? defaultAttention(context, input, shape);
  const embedded = x;
  for (let layer = 0; layer < shape.layers; layer++) {
    const prefix = `${model}.encoder.layer.${layer}`;
    x = encoderLayer(context, x, {
      modules: {
        attentionNorm: `${prefix}.${normsBefore?.attention ?? "attention.output.LayerNorm"}`,
        up: `${prefix}.intermediate.dense`,
        down: `${prefix}.output.dense`,
        feedForwardNorm: `${prefix}.${normsBefore?.feedForward ?? "output.LayerNorm"}`,
      },
      width,
      inner,
      activation,
      epsilon,
      norms: normsBefore === undefined ? "after" : "before",
      attention: (x) => attention(x, `${prefix}.attention`, layer),
    });
    if (layer === 0) x = differences.leaveFirst?.(x, embedded, input) ?? x;
  }
  if (normsBefore !== undefined) x = layerNorm(context, x, { name: normsBefore.last, width, epsilon });
  bertMaskedHead(context, x, { table, width, head, epsilon });
}

interface BertMaskedHead extends Pick<MaskedHead, "table" | "width"> {
  readonly head: BertHead;
  /** Of the head's norm. */
  readonly epsilon: number;
}

/** The outputs of {@link maskedHead} with BERT's transform, under any module names. */
export function bertMaskedHead(context: ModelContext, hidden: Value, options: BertMaskedHead): void {
  const { head, epsilon, ...sizes } = options;
  const { dense, activation, norm, ...tensors } = head;
  const transform = { dense, activation, norm: { name: norm, epsilon } };
  maskedHead(context, hidden, { ...sizes, transform, ...tensors });
}

/** As in {@link encoderSelfAttention}. */
interface BertAttention {
  readonly shape: AttentionShape;
  readonly biases: readonly Value[];
  readonly rotate?: (x: Value) => Value;
  readonly rotateValues?: boolean;
  readonly bias?: boolean;
  readonly outputBias?: boolean;
}

/** @param prefix of the module that contains `self` and `output` */
export function bertAttention(
  context: ModelContext,
  x: Value,
  prefix: string,
  options: BertAttention,
): Value {
  return encoderSelfAttention(context, x, {
    ...options,
    modules: {
      query: `${prefix}.self.query`,
      key: `${prefix}.self.key`,
      value: `${prefix}.self.value`,
      output: `${prefix}.output.dense`,
    },
  });
}

function defaultAttention(context: ModelContext, input: EncoderInput, shape: AttentionShape): LayerAttention {
  const biases = [attentionMaskOf(context.g, input)];
  return (x, prefix) => bertAttention(context, x, prefix, { shape, biases });
}

/** @param defaultActivation used if the config does not say */
export function bertHead({ config }: ModelContext, defaultActivation = "gelu"): BertHead {
  return {
    dense: "cls.predictions.transform.dense",
    norm: "cls.predictions.transform.LayerNorm",
    activation: config.string("hidden_act", { default: defaultActivation }),
    separate: "cls.predictions.decoder.weight",
    bias: "cls.predictions.bias",
    biasAlias: "cls.predictions.decoder.bias",
  };
}

/** @throws RR_CONFIG unless the model is an encoder with absolute positions */
function refuseDecoders({ config }: ModelContext): void {
  for (const name of ["is_decoder", "add_cross_attention"]) {
    if (config.boolean(name, { default: false })) {
      throw config.error(`"${name}" is set, which makes this a decoder; expected false`);
    }
  }
  const positions = config.string("position_embedding_type", { default: "absolute" });
  if (positions !== "absolute") {
    throw config.error(`expected "position_embedding_type" to be absolute, got "${positions}"`);
  }
}
