import { bytesPerElement } from "./element-types.js";
import type { Interval } from "./runs.js";
import type { WeightShard } from "./shard-reader.js";

/**
 * A shard cut along its first axis into shards of at most `limit` bytes (of one index at least), in order. What is
 * quantized as it is read stays whole: its two tensors are made by one pass over the matrix.
 */
export function* rowPieces(shard: WeightShard, limit: number): Generator<WeightShard> {
  const { weight, selection, dims } = shard;
  const [rows, ...inner] = dims;
  const rowBytes = inner.reduce((bytes, size) => bytes * size, bytesPerElement[weight.type]);
  const rowsPerPiece = Math.max(1, Math.floor(limit / rowBytes));
  const isWhole = rows === undefined || rows <= rowsPerPiece;
  if (isWhole || weight.source.kind === "quantized" || weight.source.kind === "inline") {
    yield shard;
    return;
  }
  let piece: Interval[] = [];
  let taken = 0;
  const finished = (): WeightShard => ({
    weight,
    selection: [piece, ...selection.slice(1)],
    dims: [taken, ...inner],
  });
  for (const [start, end] of selection[0]!) {
    for (let from = start; from < end; ) {
      const to = Math.min(end, from + rowsPerPiece - taken);
      piece.push([from, to]);
      taken += to - from;
      from = to;
      if (taken < rowsPerPiece) continue;
      yield finished();
      piece = [];
      taken = 0;
    }
  }
  if (taken > 0) yield finished();
}
