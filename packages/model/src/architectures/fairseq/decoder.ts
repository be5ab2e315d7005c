import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { multiHeadShape } from "../blocks/attention.js";
import { type CausalStep, causalStep } from "../blocks/causal-step.js";
import { buildDecoder, type DecoderModules } from "../blocks/decoder.js";
import { feedForwards } from "../blocks/feed-forward.js";
import { layerNorms, plainLayerNorms } from "../blocks/norms.js";
import { linear } from "../blocks/projections.js";
import { selfAttention } from "../blocks/self-attention.js";

/** What differs between models that were trained with fairseq. */
interface FairseqDifferences {
  /** The module that contains embedding and layers. */
  readonly prefix: string;
  /** The norm after the last layer, within `prefix`; undefined for none. */
  readonly lastNorm: string | undefined;
  /** The head's name, if it is not the embedding. */
  readonly head: string;
  /** Width of the embedding and the head; if it is not that of the stream, there are projections in between. */
  readonly embeddingWidth?: number;
  /** Of rows of the embedding. Default 1. */
  readonly embeddingScale?: number;
  /** One vector per new token, `[batch, sequence, width]`. */
  readonly positions: (step: CausalStep, width: number) => Value;
  /** Of the feed-forward. */
  readonly inner: number;
  readonly activation: string;
  /** Whether the projections of a layer have biases. Default true. */
  readonly bias?: boolean;
  /** Whether layers are post-norm. Default: pre-norm. */
  readonly normsAfter?: boolean;
  /** Whether norms have weights and biases. Default true. */
  readonly normWeights?: boolean;
}

/** The default of torch's LayerNorm; the configs have no setting for it. */
const epsilon = 1e-5;

/** fairseq's transformer decoder without an encoder (https://arxiv.org/abs/1904.01038). */
export function buildFairseqDecoder(context: ModelContext, differences: FairseqDifferences): void {
  const { g, config } = context;
  const { prefix, lastNorm, head, inner, activation } = differences;
  const { bias = true, embeddingScale = 1, normWeights = true } = differences;
  const shape = multiHeadShape(config);
  const { width } = shape;
  const { embeddingWidth = width } = differences;
  const isNarrow = embeddingWidth !== width;
  const modules: DecoderModules = {
    embedding: `${prefix}.embed_tokens`,
    layers: `${prefix}.layers`,
    lastNorm: lastNorm === undefined ? undefined : `${prefix}.${lastNorm}`,
    head,
  };
  const place = differences.normsAfter ? "ofSum" : "before";
  const step = causalStep(g);
  const widen = (tokens: Value): Value =>
    linear(context, tokens, {
      name: `${prefix}.project_in`,
      inputs: embeddingWidth,
      outputs: width,
      bias: false,
    });
  const narrow = (rows: Value): Value =>
    linear(context, rows, {
      name: `${prefix}.project_out`,
      inputs: width,
      outputs: embeddingWidth,
      bias: false,
    });
  buildDecoder(context, {
    step,
    shape,
    modules,
    embeddingWidth,
    embeddingScale,
    enter: (tokens) => g.add(isNarrow ? widen(tokens) : tokens, differences.positions(step, width)),
    ...(isNarrow ? { leave: narrow } : {}),
    norm: normWeights ? layerNorms(context, { width, epsilon }) : plainLayerNorms(context, width, epsilon),
    norms: {
      attention: { [place]: "self_attn_layer_norm" },
      feedForward: { [place]: "final_layer_norm" },
    },
    attention: selfAttention(context, {
      step,
      shape,
      bias,
      output: "out_proj",
      outputBias: bias,
      angles: () => undefined,
    }),
    feedForward: feedForwards(context, { up: "fc1", down: "fc2", width, inner, bias, activation }),
    tiedByDefault: true,
  });
}
