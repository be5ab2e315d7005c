// The form in which short messages lie in the slots of two ranks: src/algorithms/swap.ts says why. Positions and
// lengths are as in kernels.ts.

import { blockBytes } from "./lines";
import { combine, combineFour, Operation } from "./operations";

/** Bytes of a line of the form that changes hands: elements, then a word that holds nothing. */
const heldBytes: usize = 60;
const lineBytes: usize = 64;
/** Where the last four elements of a line begin: the first of them is the last of the four before, too. */
const lastFour: usize = heldBytes - 16;

/**
 * Puts `length` elements from index `own` on into lines at `slot`, then this rank's call into its header, and publishes
 * both by storing `round` in the word `published`. Looks `looks` times, at least once, whether the other rank has come
 * as far; returns whether it has, and calls the same.
 */
export function offer(
  slot: usize,
  own: usize,
  length: usize,
  header: usize,
  published: usize,
  otherHeader: usize,
  otherPublished: usize,
  signature: i32,
  round: i32,
  looks: i32,
): bool {
  toLines(slot << 2, own << 2, length);
  store<i32>(header << 2, signature);
  store<i32>(header << 2, <i32>length, 4);
  atomic.store<i32>(published << 2, round);
  while (atomic.load<i32>(otherPublished << 2) - round < 0) if (--looks <= 0) return false;
  return load<i32>(otherHeader << 2) == signature && load<i32>(otherHeader << 2, 4) == <i32>length;
}

/** The last line may be partial. */
@inline
function toLines(line: usize, at: usize, length: usize): void {
  const end = at + (length << 2);
  for (; at + heldBytes <= end; at += heldBytes, line += lineBytes) {
    const first = v128.load(at);
    const second = v128.load(at, 16);
    const third = v128.load(at, 32);
    const fourth = v128.load(at, lastFour);
    v128.store(line, first);
    v128.store(line, second, 16);
    v128.store(line, third, 32);
    v128.store(line, fourth, lastFour);
  }
  for (; at < end; at += 4, line += 4) store<u32>(line, load<u32>(at));
}

export function sumLinesFloat32(own: usize, lines: usize, length: usize): void {
  reduceLines<f32>(Operation.sum, own << 2, lines << 2, length);
}

export function maxLinesFloat32(own: usize, lines: usize, length: usize): void {
  reduceLines<f32>(Operation.max, own << 2, lines << 2, length);
}

export function sumLinesInt32(own: usize, lines: usize, length: usize): void {
  reduceLines<i32>(Operation.sum, own << 2, lines << 2, length);
}

export function maxLinesInt32(own: usize, lines: usize, length: usize): void {
  reduceLines<i32>(Operation.max, own << 2, lines << 2, length);
}

/**
 * What is at `own` is combined with what the lines hold. Those are made this core's own first, by a store to the word
 * that holds nothing, so that they can be written the next time without asking for them. A block at once, see lines.ts.
 */
@inline
function reduceLines<T extends number>(operation: Operation, own: usize, lines: usize, length: usize): void {
  let at = own;
  let line = lines;
  const end = at + (length << 2);
  while (at < end) {
    const blockEnd = min(at + (blockBytes / lineBytes) * heldBytes, end);
    for (let first = at, word = line + heldBytes; first < blockEnd; first += heldBytes, word += lineBytes) {
      store<u32>(word, 0);
    }
    for (; at + heldBytes <= blockEnd; at += heldBytes, line += lineBytes) {
      // The last four are loaded before the third are stored: they share an element.
      const first = combineFour<T>(operation, v128.load(at), v128.load(line));
      const second = combineFour<T>(operation, v128.load(at, 16), v128.load(line, 16));
      const third = combineFour<T>(operation, v128.load(at, 32), v128.load(line, 32));
      const fourth = combineFour<T>(operation, v128.load(at, lastFour), v128.load(line, lastFour));
      v128.store(at, first);
      v128.store(at, second, 16);
      v128.store(at, third, 32);
      v128.store(at, fourth, lastFour);
    }
    for (; at < blockEnd; at += 4, line += 4) {
      store<T>(at, combine<T>(operation, load<T>(at), load<T>(line)));
    }
  }
}
