import type { GraphBuilder, Value } from "../../graph/index.js";
import type { QueryKeyValue } from "./query-key-value.js";

export interface QueryGrowth {
  /** The growth rate β. */
  readonly rate: number;
  /** Queries at positions below this keep their length. */
  readonly context: number;
}

/**
 * Scales queries by a factor that grows with the position, so that softmax stays sharp over many keys
 * (https://arxiv.org/abs/2501.19399), in steps as in Llama 4:
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
  // Half a position is added, so that rounding does not take an exact quotient to the integer below.
  const middles = g.add(g.cast(g.unsqueeze(positionIds, [1, 3]), "float32"), g.numbers([0.5]));
  const contexts = g.cast(g.cast(g.mul(middles, g.numbers([1 / context])), "int64"), "float32");
  const growth = g.log(g.add(contexts, g.numbers([1])));
  const factor = g.add(g.mul(growth, g.numbers([rate])), g.numbers([1]));
  return ({ query, ...others }) => ({ query: g.mul(query, factor), ...others });
}
