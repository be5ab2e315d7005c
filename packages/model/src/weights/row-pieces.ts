import { quantizationBlock, type Weight } from "../graph/graph.js";
import { bytesPerElement } from "./element-types.js";
import type { Interval } from "./runs.js";
import type { WeightShard } from "./shard-reader.js";

/**
 * Cuts a shard along its first axis into shards of at most `limit` bytes (and at least one index), in order. The values
 * and the scales of a quantized matrix are cut at the same rows, so that a reader computes both of a piece in one pass.
 * In a stack of such matrices, each is a piece of its own.
 */
export function* rowPieces(shard: WeightShard, limit: number): Generator<WeightShard> {
  const { weight, selection, dims } = shard;
  const [rows, ...inner] = dims;
  const rowBytes = inner.reduce((bytes, size) => bytes * size, bytesOfOne(weight));
  const rowsPerPiece = isQuantizedStack(weight) ? 1 : Math.max(1, Math.floor(limit / rowBytes));
  const isWhole = rows === undefined || rows <= rowsPerPiece;
  if (isWhole || weight.source.kind === "inline") {
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

function isQuantizedStack({ source }: Weight): boolean {
  return source.kind === "stack" && source.parts[0]?.kind === "quantized";
}

/** Bytes that an element counts for: a scale counts as the block of values that it belongs to. */
function bytesOfOne({ type, source }: Weight): number {
  const isScale = source.kind === "quantized" && source.part === "scales";
  return isScale ? (quantizationBlock * source.bits) / 8 : bytesPerElement[type];
}
