import type { GraphBuilder, Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import type { AttentionShape } from "./attention.js";
import type { NamedNorm } from "./norms.js";
import type { QueryKeyValue } from "./query-key-value.js";
import { type RotaryAngles, rotate } from "./rotary.js";

/** Normalizes queries and keys (https://arxiv.org/abs/2302.05442). */
type QueryKeyNorm = (heads: QueryKeyValue, module: string) => QueryKeyValue;

/** Each head separately, with the same weights for all heads: `q_norm` and `k_norm` unless `names` says otherwise. */
export function normPerHead(norm: NamedNorm, names = { query: "q_norm", key: "k_norm" }): QueryKeyNorm {
  return ({ query, key, value }, module) => ({
    query: norm(query, `${module}.${names.query}`),
    key: norm(key, `${module}.${names.key}`),
    value,
  });
}

/** Applies `norm` to rotated queries and keys; attention must not rotate them again. */
export function normOfTurned(g: GraphBuilder, angles: RotaryAngles, norm: QueryKeyNorm): QueryKeyNorm {
  return ({ query, key, value }, module) =>
    norm({ query: rotate(g, query, angles), key: rotate(g, key, angles), value }, module);
}

/**
 * LayerNorm of each head separately, without bias, with separate weights for each head.
 *
 * @param weights of a module's queries or keys, `[heads, headDim]`
 */
export function layerNormPerHead(
  { g }: ModelContext,
  { heads, keyValueHeads, headDim }: AttentionShape,
  epsilon: number,
  weights: (module: string, of: "query" | "key", heads: number) => Value,
): QueryKeyNorm {
  const ones = g.numbers(new Float32Array(headDim).fill(1), [headDim]);
  const normed = (x: Value, weight: Value, count: number): Value =>
    g.mul(g.layerNormalization(x, ones, undefined, epsilon), g.reshape(weight, [count, 1, headDim]));
  return ({ query, key, value }, module) => ({
    query: normed(query, weights(module, "query", heads), heads),
    key: normed(key, weights(module, "key", keyValueHeads), keyValueHeads),
    value,
  });
}

/**
 * RMSNorm over all heads at once. Written as a sum of squares, so that an all-reduce between ranks that share the heads
 * is small. The sums for queries and keys are in one tensor, so that one all-reduce covers both.
 */
export function normOverHeads(
  { g, parameters }: ModelContext,
  { heads, keyValueHeads, headDim }: AttentionShape,
  epsilon: number,
): QueryKeyNorm {
  /**
   * The mean square over heads and lanes, in column `column` of float32 `[batch, 1, sequence, 2]`; 0 in the other
   * column.
   */
  const meanSquare = (x: Value, count: number, column: 0 | 1): Value => {
    const share = 1 / (count * headDim);
    const shares = g.numbers(column === 0 ? [share, 0] : [0, share], [2]);
    return g.mul(g.reduceSumSquare(x, [1, 3]), shares);
  };
  const scaled = (x: Value, deviation: Value, name: string, count: number): Value => {
    const weight = g.reshape(parameters.get(`${name}.weight`, [count * headDim]), [count, 1, headDim]);
    return g.mul(g.div(x, deviation), weight);
  };
  return ({ query, key, value }, module) => {
    const meanSquares = g.add(meanSquare(query, heads, 0), meanSquare(key, keyValueHeads, 1));
    const deviations = g.sqrt(g.add(meanSquares, g.numbers([epsilon])));
    const [ofQuery, ofKey] = g.split(deviations, [1, 1], 3);
    return {
      query: scaled(query, ofQuery!, `${module}.q_norm`, heads),
      key: scaled(key, ofKey!, `${module}.k_norm`, keyValueHeads),
      value,
    };
  };
}
