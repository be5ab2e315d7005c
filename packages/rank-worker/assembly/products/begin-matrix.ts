// AssemblyScript: what TypeScript's syntax says, compiled to WebAssembly by scripts/build.mjs.

import { lineBytes } from "../caches";
import { readAhead } from "../read-ahead";

/**
 * Brings near what a product of one row reads first of a matrix: of each of its streams (streams.ts) the bytes from
 * `from` to `to`, a line of each in turn.
 *
 * @param values of the first stream
 * @param toNext bytes from it to the next one
 */
export function beginMatrix(values: usize, streams: u32, toNext: usize, from: usize, to: usize): void {
  for (let at = values + from, end = values + to; at < end; at += lineBytes) {
    let line = at;
    for (let stream: u32 = 0; stream < streams; stream++, line += toNext) readAhead(line);
  }
}
