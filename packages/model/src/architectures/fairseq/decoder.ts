import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { attention, multiHeadShape } from "../blocks/attention.js";
import { CausalCaches } from "../blocks/causal-cache.js";
import { type CausalStep, causalStep } from "../blocks/causal-step.js";
import { type EmbeddingTable, embedding } from "../blocks/embedding.js";
import { feedForward } from "../blocks/feed-forward.js";
import { languageHead, selectRows } from "../blocks/language-head.js";
import { layerNorm } from "../blocks/norms.js";
import { linear } from "../blocks/projections.js";
import { projectSeparately } from "../blocks/query-key-value.js";

/** Where models that were trained with fairseq differ. */
interface FairseqDifferences {
  /** Of the module that holds `layers`. */
  readonly prefix: string;
  /** Width of the embedding and the head; where it is not that of the stream, projections stand between. */
  readonly embeddingWidth?: number;
  /** What rows of the embedding are multiplied with. Default 1. */
  readonly embeddingScale?: number;
  /** One vector per new token, `[batch, sequence, width]`. */
  readonly positions: (step: CausalStep, width: number) => Value;
  /** Of the feed-forward. */
  readonly inner: number;
  readonly activation: string;
  /** On every projection of a layer. Default true. */
  readonly bias?: boolean;
  /** Whether norms stand after each sublayer and its residual, and not before. Default false. */
  readonly normsAfter?: boolean;
  /** The norm behind all layers, within `prefix`; undefined for none. */
  readonly lastNorm: string | undefined;
  /** The head's own tensor, where it is not tied. */
  readonly separateHead: string;
}

/** What torch's LayerNorm has, and no config of these says otherwise. */
const epsilon = 1e-5;

/** fairseq's transformer decoder without an encoder (https://arxiv.org/abs/1904.01038). */
export function buildFairseqDecoder(context: ModelContext, differences: FairseqDifferences): void {
  const { g, config } = context;
  const { prefix, inner, activation, bias = true, normsAfter = false, lastNorm } = differences;
  const shape = multiHeadShape(config);
  const { width } = shape;
  const norm = (x: Value, name: string): Value =>
    layerNorm(context, x, { name: `${prefix}.${name}`, width, epsilon });

  const step = causalStep(g);
  const cache = new CausalCaches(g, step).get();
  const table = {
    name: `${prefix}.embed_tokens.weight`,
    rows: config.integer("vocab_size"),
    width: differences.embeddingWidth ?? width,
  };
  const attend = (x: Value, layer: number): Value => {
    const module = `${prefix}.layers.${layer}.self_attn`;
    const heads = projectSeparately(context, x, { prefix: module, shape, bias });
    const mixed = attention(g, { ...heads, layer, cache, shape });
    return linear(context, mixed, { name: `${module}.out_proj`, inputs: width, outputs: width, bias });
  };
  const feed = (x: Value, layer: number): Value => {
    const module = `${prefix}.layers.${layer}`;
    const modules = { up: `${module}.fc1`, down: `${module}.fc2` };
    return feedForward(context, x, { project: linear, ...modules, width, inner, bias, activation });
  };

  let x = g.add(embedTokens(context, step, table, differences), differences.positions(step, width));
  for (let layer = 0; layer < shape.layers; layer++) {
    const attentionNorm = `layers.${layer}.self_attn_layer_norm`;
    const feedForwardNorm = `layers.${layer}.final_layer_norm`;
    if (normsAfter) {
      x = norm(g.add(x, attend(x, layer)), attentionNorm);
      x = norm(g.add(x, feed(x, layer)), feedForwardNorm);
    } else {
      x = g.add(x, attend(norm(x, attentionNorm), layer));
      x = g.add(x, feed(norm(x, feedForwardNorm), layer));
    }
  }
  const rows = selectRows(g, x, step, width);
  const normed = lastNorm === undefined ? rows : norm(rows, lastNorm);
  const out = { name: `${prefix}.project_out`, inputs: width, outputs: table.width, bias: false };
  languageHead(context, table.width === width ? normed : linear(context, normed, out), {
    table,
    separate: differences.separateHead,
    tiedByDefault: true,
  });
}

/** `[batch, sequence, width]`, scaled and brought to the width of the stream. */
function embedTokens(
  context: ModelContext,
  step: CausalStep,
  table: EmbeddingTable,
  { prefix, embeddingScale = 1 }: FairseqDifferences,
): Value {
  const { g, config } = context;
  const { width } = multiHeadShape(config);
  const rows = embedding(context, step.inputIds, table);
  const scaled = embeddingScale === 1 ? rows : g.mul(rows, g.numbers([embeddingScale]));
  if (table.width === width) return scaled;
  const projection = { name: `${prefix}.project_in`, inputs: table.width, outputs: width, bias: false };
  return linear(context, scaled, projection);
}
