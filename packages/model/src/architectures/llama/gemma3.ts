import { interfaceNames, type Value } from "../../graph/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import { type AttentionShape, groupedShape } from "../blocks/attention.js";
import { bidirectionalAttention } from "../blocks/bidirectional-attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder, lastNormed, residualStream } from "../blocks/decoder.js";
import { consecutivePositions, encoderInput } from "../blocks/encoder-input.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { alternatingWindows } from "../blocks/layer-windows.js";
import { shiftedRmsNorms } from "../blocks/norms.js";
import { normPerHead } from "../blocks/query-key-norm.js";
import { rotaryAngles, rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";
import { gemmaNorms, laterGemmaActivation } from "./gemma.js";

/**
 * https://arxiv.org/abs/2503.19786: Gemma 2 with norms of queries and keys, no cap on scores (transformers has a field
 * for one and ignores it), and separate rotary frequencies for sliding-window layers. If attention is bidirectional, it
 * is an encoder without a head: https://arxiv.org/abs/2509.20354.
 */
export const gemma3: Architecture = {
  build(context) {
    const { config } = context;
    const shape = groupedShape(config, { headDim: 256, keyValueHeads: 4 });
    if (!config.boolean("use_bidirectional_attention", { default: false })) return decoder(context, shape);
    // transformers then halves the windows of the text model, and masks later tokens all the same.
    if (context.parameters.areOfModule)
      throw config.error('"use_bidirectional_attention" is set; expected false within a multimodal model');
    encoder(context, shape);
  },
  ignoredTensors: rotaryBuffers,
};

function decoder(context: ModelContext, shape: AttentionShape): void {
  const { g, config } = context;
  const step = causalStep(g);
  const window = windows(context);
  buildDecoder(context, {
    ...streamOf(context, shape),
    step,
    attention: selfAttention(context, {
      ...attentionOf(context, shape),
      step,
      angles: anglesOf(context, step.positionIds, shape, window),
      window,
    }),
    logitCap: config.optionalNumber("final_logit_softcapping", { min: Number.MIN_VALUE }),
    tiedByDefault: true,
  });
}

function encoder(context: ModelContext, shape: AttentionShape): void {
  const { g } = context;
  const input = encoderInput(g);
  const window = windows(context);
  const stream = {
    ...streamOf(context, shape),
    attention: bidirectionalAttention(context, {
      ...attentionOf(context, shape),
      input,
      angles: anglesOf(context, consecutivePositions(g, input), shape, window),
      // A window is as long as a decoder's, with the query in its middle.
      reach: (layer) => {
        const length = window(layer);
        return length === undefined ? undefined : Math.floor(length / 2);
      },
    }),
  };
  const x = lastNormed(context, residualStream(context, input.inputIds, stream), stream);
  g.output(interfaceNames.lastHiddenState, x, "float32", ["batch", "sequence", shape.width]);
}

/** How many positions a query of a layer sees; undefined for all. */
type Window = (layer: number) => number | undefined;

function windows({ config }: ModelContext): Window {
  return alternatingWindows(config, {
    window: config.integer("sliding_window", { default: 4096 }),
    period: () => config.integer(["sliding_window_pattern", "_sliding_window_pattern"], { default: 6 }),
  });
}

function anglesOf(context: ModelContext, positions: Value, { headDim }: AttentionShape, window: Window) {
  const sliding = rotaryAngles(context, positions, headDim, {
    layerType: "sliding_attention",
    ownTheta: "rope_local_base_freq",
  });
  const full = rotaryAngles(context, positions, headDim, { defaultTheta: 1_000_000 });
  return (layer: number) => (window(layer) === undefined ? full : sliding);
}

function attentionOf(context: ModelContext, shape: AttentionShape) {
  const { config } = context;
  const bias = config.boolean("attention_bias", { default: false });
  return {
    shape,
    bias,
    outputBias: bias,
    adjust: normPerHead(shiftedRmsNorms(context, shape.headDim)),
    scale: 1 / Math.sqrt(config.number("query_pre_attn_scalar", { min: Number.MIN_VALUE, default: 256 })),
  };
}

function streamOf(context: ModelContext, shape: AttentionShape) {
  const { width } = shape;
  return {
    shape,
    norm: shiftedRmsNorms(context, width),
    norms: gemmaNorms,
    embeddingScale: Math.sqrt(width),
    feedForward: gatedFeedForwards(context, width, { activation: laterGemmaActivation(context.config) }),
  };
}
