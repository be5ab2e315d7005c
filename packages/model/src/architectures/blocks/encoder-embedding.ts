import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { type EmbeddingTable, embedding } from "./embedding.js";
import type { EncoderInput } from "./encoder-input.js";
import { layerNorm } from "./norms.js";

interface EncoderEmbedding {
  /** Of words. */
  readonly table: EmbeddingTable;
  /** Of positions, and which rows of it to add. Default: none. */
  readonly positions?: { readonly table: EmbeddingTable; readonly ids: Value };
  /** Of the kinds of token there are, of which every token is of the first. Default: none. */
  readonly kinds?: readonly EmbeddingTable[];
  /** Default: none. */
  readonly norm?: { readonly name: string; readonly epsilon: number } | undefined;
}

/** The sum of what each table says of a token, normed, `[batch, sequence, table.width]`. */
export function encoderEmbedding(
  context: ModelContext,
  { inputIds }: EncoderInput,
  { table, positions, kinds = [], norm }: EncoderEmbedding,
): Value {
  const { g } = context;
  let x = embedding(context, inputIds, table);
  if (positions !== undefined) x = g.add(x, embedding(context, positions.ids, positions.table));
  for (const kind of kinds) x = g.add(x, embedding(context, g.integer(0), kind));
  return norm === undefined ? x : layerNorm(context, x, { ...norm, width: table.width });
}
