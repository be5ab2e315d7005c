// AssemblyScript, which has TypeScript's syntax and is compiled to WebAssembly by scripts/build.mjs.

import { lineBytes } from "../caches";
import { readAhead } from "../read-ahead";

/**
 * Prefetches what a product of one row reads first of a matrix: the bytes from `from` to `to` of each of its streams
 * (streams.ts), a line of each in turn.
 *
 * @param values the first stream
 * @param toNext bytes from one stream to the next
 */
export function beginMatrix(values: usize, streams: u32, toNext: usize, from: usize, to: usize): void {
  for (let at = values + from, end = values + to; at < end; at += lineBytes) {
    let line = at;
    for (let stream: u32 = 0; stream < streams; stream++, line += toNext) readAhead(line);
  }
}
