import { type GraphBuilder, interfaceNames, type Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import type { EmbeddingTable } from "./embedding.js";
import { headWeight } from "./tied-weights.js";

/**
 * Selects the rows for which logits are requested, `[batch, sequence, width]` to `[rows, width]`. This comes before the
 * last norm, so that a sum that is owed is only reduced for these rows.
 */
export function selectRows(g: GraphBuilder, x: Value, width: number): Value {
  const rows = g.input(interfaceNames.logitRows, "int64", ["rows"]);
  return g.gather(g.reshape(x, [-1, width]), rows, 0);
}

interface LanguageHead {
  /** The embedding, which is also the head if they are tied. */
  readonly table: EmbeddingTable;
  /** The head's own tensor, `[vocabulary, width]`, if they are not tied. */
  readonly separate: string;
  /** Whether they are tied, usually as the config says. */
  readonly isTied: boolean;
  /** The tensor added to the logits, `[vocabulary]`. Default: none. */
  readonly bias?: string;
  /** The shape of the stored bias, if it differs from `[vocabulary]`. */
  readonly biasDims?: readonly number[];
  /** A factor of the logits, before the bias is added. Default 1. */
  readonly scale?: number;
  /** Before the bias is added, logits are capped to `cap · tanh(logit / cap)`. Default: they are not. */
  readonly cap?: number | undefined;
}

/** Outputs the graph's logits, `[rows, vocabulary]`, from the normalized `x`, `[rows, width]`. */
export function languageHead(context: ModelContext, x: Value, head: LanguageHead): void {
  const { g, parameters } = context;
  const { table, separate, isTied, bias, biasDims = [table.rows], scale = 1, cap } = head;
  const weight = headWeight(context, table, separate, isTied);
  const product = g.matmulTransposed(x, weight, scale / (cap ?? 1));
  const capped = cap === undefined ? product : g.mul(g.tanh(product), g.numbers([cap]));
  const logits = bias === undefined ? capped : g.add(capped, parameters.get(bias, biasDims));
  g.output(interfaceNames.logits, logits, "float32", ["rows", table.rows]);
}
