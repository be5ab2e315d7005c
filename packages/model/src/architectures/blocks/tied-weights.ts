import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import type { EmbeddingTable } from "./embedding.js";

/**
 * The matrix of a head, `[rows, width]`: the embedding where `tie_word_embeddings` says so, else the head's own.
 *
 * @param separate the head's own tensor
 * @param tiedByDefault what holds where the config does not say
 */
export function headWeight(
  { config, parameters }: ModelContext,
  table: EmbeddingTable,
  separate: string,
  tiedByDefault: boolean,
): Value {
  const isTied = config.boolean("tie_word_embeddings", { default: tiedByDefault });
  const name = isTied ? parameters.tied(separate, table.name) : separate;
  return parameters.get(name, [table.rows, table.width]);
}
