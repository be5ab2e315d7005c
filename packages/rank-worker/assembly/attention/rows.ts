// The new row of a sequence: its queries, and its key and value to be cached.

import { Arguments } from "./arguments";

/** Rotates and scales a query of a head's group. */
export function rotateQuery(out: usize, sequence: usize, head: usize, query: usize, args: Arguments): void {
  const ofHead = args.query + sequence * args.queryRow + head * args.queryHead;
  rotate(out, ofHead + query * (<usize>args.lanes << 2), sequence, args.scale, args);
}

/** Writes the new key, rotated, and the new value of a head of a sequence. */
export function keepRow(sequence: usize, head: usize, args: Arguments): void {
  const rowBytes = <usize>args.lanes << 2;
  const at = (sequence * args.keyValueHeads + head) * rowBytes;
  rotate(args.presentKeys + at, args.key + sequence * args.keyRow + head * args.keyHead, sequence, 1, args);
  memory.copy(args.presentValues + at, args.value + sequence * args.valueRow + head * args.valueHead, rowBytes);
}

/** One head's lanes, times `scale`, rotated by the rotary position embedding (https://arxiv.org/abs/2104.09864). */
function rotate(out: usize, from: usize, row: usize, scale: f32, args: Arguments): void {
  const half = <usize>args.rotaryLanes >> 1;
  const cos = args.cos + row * (half << 2);
  const sin = args.sin + row * (half << 2);
  // (i, i + half), or neighbours (2i, 2i + 1).
  const step: usize = args.interleaved ? 8 : 4;
  const partner: usize = args.interleaved ? 4 : half << 2;
  for (let pair: usize = 0; pair < half; pair++) {
    const at = pair * step;
    const a = load<f32>(from + at);
    const b = load<f32>(from + at + partner);
    const c = load<f32>(cos + (pair << 2));
    const s = load<f32>(sin + (pair << 2));
    store<f32>(out + at, (a * c - b * s) * scale);
    store<f32>(out + at + partner, (b * c + a * s) * scale);
  }
  for (let lane = <usize>args.rotaryLanes; lane < args.lanes; lane++) {
    store<f32>(out + (lane << 2), load<f32>(from + (lane << 2)) * scale);
  }
}
