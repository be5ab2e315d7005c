import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { activate } from "./activations.js";
import type { Layer } from "./decoder.js";
import { embedding } from "./embedding.js";
import { rmsNorms } from "./norms.js";
import { linear } from "./projections.js";

interface PerLayerSizes {
  readonly layers: number;
  /** Of the residual stream. */
  readonly width: number;
  /** Of a token's vector for one layer. */
  readonly lanes: number;
}

interface PerLayerEmbedding extends PerLayerSizes {
  /** int64 `[batch, sequence]`. */
  readonly inputIds: Value;
  /** The embedded tokens as they enter the residual stream, `[batch, sequence, width]`. */
  readonly tokens: Value;
  /** Rows of the table. */
  readonly rows: number;
}

/**
 * Per-layer embeddings (https://ai.google.dev/gemma/docs/gemma-3n), an additional input of every layer: a vector looked
 * up by token id, plus a normed projection of the embedded token. `[batch, sequence, lanes]`, by layer.
 */
export function perLayerEmbedding(
  context: ModelContext,
  options: PerLayerEmbedding,
): (layer: number) => Value {
  const { g, parameters } = context;
  const { inputIds, tokens, layers, width, lanes, rows } = options;
  const perLayer = (x: Value): Value => g.reshape(x, [0, 0, layers, lanes]);
  const looked = embedding(context, inputIds, {
    name: "model.embed_tokens_per_layer.weight",
    rows,
    width: layers * lanes,
  });
  const projection = parameters.get("model.per_layer_model_projection.weight", [layers * lanes, width]);
  const projected = perLayer(g.matmulTransposed(tokens, projection, width ** -0.5));
  const normed = rmsNorms(context, lanes)(projected, "model.per_layer_projection_norm");
  const sum = g.add(normed, g.mul(perLayer(looked), g.numbers([Math.sqrt(lanes)])));
  const parts = g.split(g.mul(sum, g.numbers([Math.SQRT1_2])), Array<number>(layers).fill(1), 2);
  return (layer) => g.squeeze(parts[layer]!, [2]);
}

interface PerLayerGate extends Pick<PerLayerSizes, "width" | "lanes"> {
  /** As the config names it. */
  readonly activation: string;
}

/** What a layer adds to the residual stream from its per-layer embedding: `norm(projection(act(gate(x)) · input))`. */
export function perLayerGate(
  context: ModelContext,
  x: Value,
  input: Value,
  { module }: Layer,
  { width, lanes, activation }: PerLayerGate,
): Value {
  const { g } = context;
  const gate = { name: `${module}.per_layer_input_gate`, inputs: width, outputs: lanes, bias: false };
  const gated = g.mul(activate(context, activation, linear(context, x, gate)), input);
  const back = { name: `${module}.per_layer_projection`, inputs: lanes, outputs: width, bias: false };
  return rmsNorms(context, width)(linear(context, gated, back), `${module}.post_per_layer_input_norm`);
}
