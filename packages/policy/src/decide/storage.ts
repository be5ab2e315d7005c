import type { Weight } from "@ringrank/model";
import { byteCount, bytesPerElement, type Selection, totalLength } from "@ringrank/model/weights";
import { isParameter, type WeightUse } from "../analysis/roles.js";
import { appendTo } from "../append-to.js";
import { localIntervals, localSize, type RankShare } from "../factors/shard.js";

/** Uses of parameters, by weight. */
export function parameterUses(uses: readonly WeightUse[]): ReadonlyMap<string, readonly WeightUse[]> {
  const byWeight = new Map<string, WeightUse[]>();
  for (const use of uses) {
    if (isParameter(use.weight)) appendTo(byWeight, use.name, use);
  }
  return byWeight;
}

/** Parameter bytes that a rank holds for the uses it reads. */
export function bytesKept(
  weights: ReadonlyMap<string, readonly WeightUse[]>,
  share: RankShare,
  reads: (use: WeightUse) => boolean = () => true,
): number {
  let total = 0;
  for (const uses of weights.values()) total += weightBytes(uses.filter(reads), share);
  return total;
}

/** Bytes of one weight in the type it computes in, before it is divided. */
export function wholeBytes({ type, dims }: Weight): number {
  return byteCount(type, dims);
}

/** Bytes that a rank holds of one weight. If it has several uses, it is held once for each different selection. */
export function weightBytes(uses: readonly WeightUse[], share: RankShare): number {
  const [first, ...others] = uses;
  if (first === undefined) return 0;
  if (others.length === 0) {
    return first.dims.reduce(
      (bytes, dim) => bytes * localSize(dim, share)[0],
      bytesPerElement[first.weight.type],
    );
  }
  const selections = new Map<string, Selection>();
  for (const use of uses) {
    const selection = selectionOf(use, share);
    selections.set(JSON.stringify(selection), selection);
  }
  let total = 0;
  for (const selection of selections.values()) {
    total += selection.reduce((count, axis) => count * totalLength(axis), bytesPerElement[first.weight.type]);
  }
  return total;
}

export function selectionOf(use: WeightUse, share: RankShare): Selection {
  return use.dims.map((dim) => localIntervals(dim, share));
}
