import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import type { EmbeddingTable } from "./embedding.js";

/** Whether the embedding is the head too, as the config says. */
export function saysTied({ config }: ModelContext, byDefault: boolean): boolean {
  return config.boolean("tie_word_embeddings", { default: byDefault });
}

/**
 * The matrix of a head, `[rows, width]`: the embedding where they are tied, else the head's own.
 *
 * @param separate the head's own tensor
 */
export function headWeight(
  { parameters }: ModelContext,
  table: EmbeddingTable,
  separate: string,
  isTied: boolean,
): Value {
  const name = isTied ? parameters.tied(separate, table.name) : separate;
  return parameters.get(name, [table.rows, table.width]);
}
