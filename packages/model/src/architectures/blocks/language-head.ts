import { type GraphBuilder, interfaceNames, type Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import type { CausalStep } from "./causal-step.js";
import type { EmbeddingTable } from "./embedding.js";
import { headWeight } from "./tied-weights.js";

/**
 * Selects the rows for which logits are requested, `[batch, sequence, width]` to `[rows, width]`. This comes before the
 * last norm, so that a sum that is owed is only reduced for these rows.
 */
export function selectRows(g: GraphBuilder, x: Value, step: CausalStep, width: number): Value {
  return g.gather(g.reshape(x, [-1, width]), step.logitRows, 0);
}

interface LanguageHead {
  /** The embedding, which is also the head where they are tied. */
  readonly table: EmbeddingTable;
  /** The head's own tensor, `[vocabulary, width]`, where it is not tied. */
  readonly separate: string;
  /** Whether they are: mostly as the config says. */
  readonly isTied: boolean;
  /** Of the tensor added to the logits, `[vocabulary]`. Default: none. */
  readonly bias?: string;
  /** Its shape, where that is another of as many elements. */
  readonly biasDims?: readonly number[];
  /** Of the logits, bias apart. Default 1. */
  readonly scale?: number;
  /** Logits, bias apart, are bent to stay within ±cap: `cap · tanh(logit / cap)`. Default: they are not. */
  readonly cap?: number | undefined;
}

/** Makes the graph's logits, `[rows, vocabulary]`, from the normed `x`, `[rows, width]`. */
export function languageHead(context: ModelContext, x: Value, head: LanguageHead): void {
  const { g, parameters } = context;
  const { table, separate, isTied, bias, biasDims = [table.rows], scale = 1, cap } = head;
  const weight = headWeight(context, table, separate, isTied);
  const product = g.matmulTransposed(x, weight, scale / (cap ?? 1));
  const capped = cap === undefined ? product : g.mul(g.tanh(product), g.numbers([cap]));
  const logits = bias === undefined ? capped : g.add(capped, parameters.get(bias, biasDims));
  g.output(interfaceNames.logits, logits, "float32", ["rows", table.rows]);
}
