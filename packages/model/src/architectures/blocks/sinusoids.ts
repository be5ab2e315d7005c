import type { GraphBuilder, Value } from "../../graph/index.js";

/**
 * Sines, then cosines, of position times frequency: int64 `[…]` to float32 `[…, 2 · frequencies.length]`
 * (https://arxiv.org/abs/1706.03762, section 3.5; there, sines and cosines alternate).
 */
export function sinusoids(g: GraphBuilder, positions: Value, frequencies: readonly number[]): Value {
  const column = g.unsqueeze(g.cast(positions, "float32"), [-1]);
  const angles = g.mul(column, g.numbers(frequencies, [frequencies.length]));
  return g.concat([g.sin(angles), g.cos(angles)], -1);
}

/** From 1 down to 1/10000, excluded: `10000^(−i / count)`. */
export function halfOpenFrequencies(count: number): number[] {
  return Array.from({ length: count }, (_, i) => 10_000 ** (-i / count));
}

/** From 1 down to 1/10000, included: `10000^(−i / (count − 1))`. */
export function closedFrequencies(count: number): number[] {
  return Array.from({ length: count }, (_, i) => 10_000 ** (-i / (count - 1)));
}
