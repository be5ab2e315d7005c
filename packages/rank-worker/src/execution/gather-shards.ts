import type { Communicator } from "@ringrank/collectives";
import { RingrankError } from "@ringrank/errors";
import type { TensorData } from "@ringrank/model";
import { allocate, bytesOf, bytesPerElement, elementCount, totalLength } from "@ringrank/model/weights";
import type { ValueShard } from "@ringrank/policy";
import type { TensorMessage } from "../protocol.js";

/**
 * All-gather of a value that is sharded unevenly along one axis, for any element type.
 *
 * ```
 *  rank 0 has [0,2)      rank 1 has [2,3)       gathered, in rank order        the whole, by intervals
 *    a0 a1                  a2                  a0 a1 b0 b1 | a2 b2      ──▶      a0 a1 a2
 *    b0 b1                  b2                                                    b0 b1 b2
 * ```
 *
 * Intervals may overlap, in which case ranks have equal elements, and may be empty.
 *
 * @param part this rank's part: in `dims`, the shard's axis has the length of the rank's intervals
 * @returns the whole value, the same on every rank
 */
export function gatherShards(
  communicator: Communicator,
  part: TensorMessage,
  shard: ValueShard,
): TensorMessage {
  const { axis } = shard;
  const outer = elementCount(part.dims.slice(0, axis));
  const inner = elementCount(part.dims.slice(axis + 1));
  const lengths = shard.intervals.map(totalLength);
  const elements = outer * lengths[communicator.rank]! * inner;
  if (part.data.length !== elements) {
    throw new RingrankError(
      "RR_SHAPE",
      `expected this rank's part to have ${elements} elements, got ${part.data.length} of [${part.dims.join(", ")}]`,
    );
  }

  const elementBytes = bytesPerElement[part.type];
  const words = lengths.map((length) => Math.ceil((outer * length * inner * elementBytes) / 4));
  const gathered = communicator.allGather(asWords(part.data), { counts: words });

  const dims = part.dims.with(axis, shard.size);
  const whole = allocate(part.type, elementCount(dims));
  const target = bytesOf(whole);
  const source = bytesOf(gathered);
  const run = inner * elementBytes;
  let rankStart = 0;
  for (const [rank, intervals] of shard.intervals.entries()) {
    let from = rankStart;
    for (let row = 0; row < outer; row++) {
      for (const [start, end] of intervals) {
        const bytes = (end - start) * run;
        target.set(source.subarray(from, from + bytes), (row * shard.size + start) * run);
        from += bytes;
      }
    }
    rankStart += words[rank]! * 4;
  }
  return { type: part.type, dims, data: whole };
}

/** The same bits as int32 words, which collectives can move. Only copied if they do not fill whole words. */
function asWords(data: TensorData): Int32Array {
  if (data.byteLength % 4 === 0 && data.byteOffset % 4 === 0) {
    return new Int32Array(data.buffer, data.byteOffset, data.byteLength / 4);
  }
  const words = new Int32Array(Math.ceil(data.byteLength / 4));
  bytesOf(words).set(bytesOf(data));
  return words;
}
