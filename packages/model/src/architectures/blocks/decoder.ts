import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import type { AttentionShape } from "./attention.js";
import type { CausalStep } from "./causal-step.js";
import { embedding } from "./embedding.js";
import { languageHead, selectRows } from "./language-head.js";
import { type NamedNorm, rmsNorms } from "./norms.js";

/** A part of every layer that adds to the residual stream, `[batch, sequence, width]` to the same. */
export type Sublayer = (x: Value, layer: number) => Value;

/** The module that holds a layer's modules. */
export function layerModule(layer: number): string {
  return `model.layers.${layer}`;
}

/** Names, within the layer's module, of the norms on either side of a sublayer; undefined where there is none. */
interface NormsAround {
  readonly before?: string;
  /** Of what the sublayer adds. */
  readonly after?: string;
}

export interface DecoderNorms {
  readonly attention: NormsAround;
  readonly feedForward: NormsAround;
}

interface Decoder {
  readonly step: CausalStep;
  readonly shape: Pick<AttentionShape, "layers" | "width">;
  readonly attention: Sublayer;
  readonly feedForward: Sublayer;
  /** Whether the feed-forward reads what attention reads, its norm included, so that their sums are one. Default false. */
  readonly parallel?: boolean;
  /** Default: RMSNorm, `rms_norm_eps`. */
  readonly norm?: NamedNorm;
  /** Default: one before each sublayer, under Llama's names. */
  readonly norms?: DecoderNorms;
  /** Of rows of the embedding. Default 1. */
  readonly embeddingScale?: number;
  /** Of what sublayers add. Default 1. */
  readonly residualScale?: number;
  /** Of the logits. Default 1. */
  readonly logitScale?: number;
  /** The logits' bound. Default: none. */
  readonly logitCap?: number | undefined;
  /** Whether the head is the embedding, where the config does not say. Default false. */
  readonly tiedByDefault?: boolean;
}

const llamaNorms: DecoderNorms = {
  attention: { before: "input_layernorm" },
  feedForward: { before: "post_attention_layernorm" },
};

/** A decoder in Llama's frame: embedding, layers of attention and feed-forward, norm, head. */
export function buildDecoder(context: ModelContext, decoder: Decoder): void {
  const { g, config } = context;
  const { step, shape, norms = llamaNorms, embeddingScale = 1, residualScale = 1 } = decoder;
  const { width } = shape;
  const norm = decoder.norm ?? rmsNorms(context, width);
  const scaled = (x: Value, scale: number): Value => (scale === 1 ? x : g.mul(x, g.numbers([scale])));
  const table = { name: "model.embed_tokens.weight", rows: config.integer("vocab_size"), width };

  let x = scaled(embedding(context, step.inputIds, table), embeddingScale);
  for (let layer = 0; layer < shape.layers; layer++) {
    const normed = (x: Value, name: string | undefined): Value =>
      name === undefined ? x : norm(x, `${layerModule(layer)}.${name}`);
    const add = (x: Value, y: Value, { after }: NormsAround): Value =>
      g.add(x, scaled(normed(y, after), residualScale));
    const input = normed(x, norms.attention.before);
    x = add(x, decoder.attention(input, layer), norms.attention);
    const second = decoder.parallel ? input : normed(x, norms.feedForward.before);
    x = add(x, decoder.feedForward(second, layer), norms.feedForward);
  }
  languageHead(context, norm(selectRows(g, x, step, width), "model.norm"), {
    table,
    separate: "lm_head.weight",
    tiedByDefault: decoder.tiedByDefault ?? false,
    scale: decoder.logitScale ?? 1,
    cap: decoder.logitCap,
  });
}
