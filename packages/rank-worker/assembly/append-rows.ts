// The new row of a sequence, for all states of a cache at once. src/cache/row-appender.ts makes the list.

import { storePair } from "./vectors";

/** Bytes of a state in the list: five words. */
const stateBytes: usize = 20;

/**
 * Copies row `batchRow` of new rows to a place in a slot, for each of the states in a list.
 *
 * @param list by state: the address of the new rows, `[batch, outer, rowBytes]`, and that of the state,
 *   `[slots, outer, capacity, rowBytes]`; then outer, capacity and rowBytes, a multiple of 16
 */
export function appendRows(list: usize, states: u32, batchRow: u32, slot: u32, place: u32): void {
  for (const end = list + <usize>states * stateBytes; list < end; list += stateBytes) {
    const outer = load<u32>(list, 8);
    const rowBytes = <usize>load<u32>(list, 16);
    const blockBytes = <usize>load<u32>(list, 12) * rowBytes;
    let from = <usize>load<u32>(list) + <usize>batchRow * outer * rowBytes;
    let to = <usize>load<u32>(list, 4) + <usize>slot * outer * blockBytes + <usize>place * rowBytes;
    for (let row: u32 = 0; row < outer; row++, from += rowBytes, to += blockBytes) {
      // Calls of memory.copy cost more than so few bytes.
      let at: usize = 0;
      for (; at + 32 <= rowBytes; at += 32) storePair(to + at, v128.load(from + at), v128.load(from + at, 16));
      if (at < rowBytes) v128.store(to + at, v128.load(from + at));
    }
  }
}
