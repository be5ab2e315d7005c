import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";

export interface EmbeddingTable {
  /** The tensor's name; its shape is `[rows, width]`. */
  readonly name: string;
  readonly rows: number;
  readonly width: number;
}

/** One row of the table per index: `[batch, sequence]` to `[batch, sequence, width]`. */
export function embedding(
  { g, parameters }: ModelContext,
  indices: Value,
  { name, rows, width }: EmbeddingTable,
): Value {
  return g.gather(parameters.get(name, [rows, width]), indices, 0);
}
