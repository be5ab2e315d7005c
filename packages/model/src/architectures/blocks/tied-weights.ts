import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import type { EmbeddingTable } from "./embedding.js";

/** Whether the config says that the embedding is also the head. */
export function saysTied({ config }: ModelContext, byDefault: boolean): boolean {
  return config.boolean("tie_word_embeddings", { default: byDefault });
}

/**
 * The head's matrix, `[rows, width]`: the embedding if they are tied, else the head's own.
 *
 * @param separate the head's own tensor; undefined if they are always tied
 */
export function headWeight(
  { parameters }: ModelContext,
  table: EmbeddingTable,
  separate: string | undefined,
  isTied: boolean,
): Value {
  const own = separate ?? table.name;
  const name = isTied ? parameters.tied(own, table.name) : own;
  return parameters.get(name, [table.rows, table.width]);
}
