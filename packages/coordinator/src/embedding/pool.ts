import type { PoolingMode } from "@ringrank/model";
import type { EmbeddedText } from "./embed.js";

/** Hidden states `[rows, width, lanes]` of sequences padded on the right. */
export interface HiddenStates {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/**
 * One vector for each sequence of a batch, as sentence-transformers pools (https://arxiv.org/abs/1908.10084).
 *
 * @param rows the tokens of each row, the rest of which is padding, and how many of them, at the beginning, are not
 * pooled; at least one is
 * @param modes if there are several, their vectors are concatenated
 * @returns by row, `[modes · lanes]`
 */
export function pool(
  { data, dims }: HiddenStates,
  rows: readonly EmbeddedText[],
  modes: readonly PoolingMode[],
): Float32Array[] {
  const [, width = 0, lanes = 0] = dims;
  return rows.map(({ ids, skipped }, row) => {
    const states = data.subarray(row * width * lanes, (row * width + ids.length) * lanes);
    const pooled = new Float32Array(modes.length * lanes);
    for (const [at, mode] of modes.entries()) pooled.set(pooledBy(mode, states, lanes, skipped), at * lanes);
    return pooled;
  });
}

/** @param states of all tokens of a sequence, `[tokens, lanes]` */
function pooledBy(
  mode: PoolingMode,
  states: Float32Array,
  lanes: number,
  skipped: number,
): ArrayLike<number> {
  const tokens = states.length / lanes;
  const count = tokens - skipped;
  switch (mode) {
    case "cls":
      return states.subarray(skipped * lanes, (skipped + 1) * lanes);
    case "lasttoken":
      return states.subarray((tokens - 1) * lanes);
    case "max":
      return largest(states.subarray(skipped * lanes), lanes);
    case "mean":
      return weightedSum(states, lanes, skipped, () => 1 / count);
    case "mean_sqrt_len_tokens":
      return weightedSum(states, lanes, skipped, () => 1 / Math.sqrt(count));
    case "weightedmean": {
      // Positions count from 1, and those that are skipped keep theirs.
      const sum = ((skipped + 1 + tokens) * count) / 2;
      return weightedSum(states, lanes, skipped, (token) => (token + 1) / sum);
    }
  }
}

function weightedSum(
  states: Float32Array,
  lanes: number,
  skipped: number,
  weightOf: (token: number) => number,
): Float64Array {
  const sums = new Float64Array(lanes);
  for (let token = skipped; token * lanes < states.length; token++) {
    const [start, weight] = [token * lanes, weightOf(token)];
    for (let lane = 0; lane < lanes; lane++) sums[lane]! += weight * states[start + lane]!;
  }
  return sums;
}

function largest(states: Float32Array, lanes: number): Float32Array {
  const most = states.slice(0, lanes);
  for (const [at, state] of states.entries()) {
    const lane = at % lanes;
    if (state > most[lane]!) most[lane] = state;
  }
  return most;
}
