// AssemblyScript, which has TypeScript's syntax and is compiled to WebAssembly by scripts/build.mjs.

import { lineBytes } from "../memory-units";

/**
 * Prefetches a part of a matrix in the order in which a product of one row reads it: bytes `from` to `to` of each
 * stream (streams.ts), one line of each in turn.
 *
 * @param values the start of the first stream
 * @param toNext bytes from one stream to the next
 */
export function beginMatrix(values: usize, streams: u32, toNext: usize, from: usize, to: usize): void {
  for (let at = values + from, end = values + to; at < end; at += lineBytes) {
    let line = at;
    for (let stream: u32 = 0; stream < streams; stream++, line += toNext) readAhead(line);
  }
}

/**
 * Prefetches the cache line of this address. WebAssembly has no instruction for that. A load whose result is unused
 * does the same, and no engine may leave it out, since it could trap.
 */
@inline
function readAhead(address: usize): void {
  load<u32>(address);
}
