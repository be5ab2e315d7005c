import type { ConfigReader } from "../../checkpoint/index.js";
import type { GraphBuilder, Value } from "../../graph/index.js";
import type { QueryKeyValue } from "./query-key-value.js";

/** Clips queries, keys and values to ±`clip_qkv`, if the config has such a bound. */
export function clippedHeads(
  g: GraphBuilder,
  config: ConfigReader | undefined,
): (heads: QueryKeyValue) => QueryKeyValue {
  const bound = config?.optionalNumber("clip_qkv", { min: Number.MIN_VALUE });
  if (bound === undefined) return (heads) => heads;
  const clip = (x: Value): Value => g.clip(x, g.numbers([-bound]), g.numbers([bound]));
  return ({ query, key, value, ...others }) => ({
    query: clip(query),
    key: clip(key),
    value: clip(value),
    ...others,
  });
}
