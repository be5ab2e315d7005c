import type { GraphBuilder, Value } from "../../graph/index.js";
import type { QueryKeyValue } from "./query-key-value.js";

export interface QueryGrowth {
  /** How fast, β. */
  readonly rate: number;
  /** Positions within which queries stay as they are. */
  readonly context: number;
}

/**
 * Queries that grow with their position, so that scores of many keys stay apart (https://arxiv.org/abs/2501.19399), in
 * the steps that Llama 4 takes:
 *
 * ```
 *   1 + β · ln(1 + ⌊position / context⌋)
 * ```
 *
 * @param positionIds int64 `[batch, sequence]`
 */
export function grownQueries(
  g: GraphBuilder,
  positionIds: Value,
  { rate, context }: QueryGrowth,
): (heads: QueryKeyValue) => QueryKeyValue {
  // From the middle of each position, so that a quotient that is nearly whole is not rounded to the one below.
  const middles = g.add(g.cast(g.unsqueeze(positionIds, [1, 3]), "float32"), g.numbers([0.5]));
  const contexts = g.cast(g.cast(g.mul(middles, g.numbers([1 / context])), "int64"), "float32");
  const growth = g.log(g.add(contexts, g.numbers([1])));
  const factor = g.add(g.mul(growth, g.numbers([rate])), g.numbers([1]));
  return ({ query, ...others }) => ({ query: g.mul(query, factor), ...others });
}
