import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { type EmbeddingTable, embedding } from "./embedding.js";
import type { EncoderInput } from "./encoder-input.js";
import { layerNorm } from "./norms.js";

interface EncoderEmbedding {
  /** The token embedding. */
  readonly table: EmbeddingTable;
  /** Of the token embedding. Default 1. */
  readonly scale?: number;
  /** The table of positions, and the indices of its rows to add. Default: none. */
  readonly positions?: { readonly table: EmbeddingTable; readonly ids: Value };
  /** Token type (segment) embeddings; every token is of type 0. Default: none. */
  readonly kinds?: readonly EmbeddingTable[];
  /** Default: none. */
  readonly norm?: { readonly name: string; readonly epsilon: number } | undefined;
}

/** The normed sum of a token's embeddings, `[batch, sequence, table.width]`. */
export function encoderEmbedding(
  context: ModelContext,
  { inputIds }: EncoderInput,
  { table, scale = 1, positions, kinds = [], norm }: EncoderEmbedding,
): Value {
  const { g } = context;
  let x = embedding(context, inputIds, table);
  if (scale !== 1) x = g.mul(x, g.numbers([scale]));
  if (positions !== undefined) x = g.add(x, embedding(context, positions.ids, positions.table));
  for (const kind of kinds) x = g.add(x, embedding(context, g.integer(0), kind));
  return norm === undefined ? x : layerNorm(context, x, { ...norm, width: table.width });
}
