// The form in which short messages lie in the slots of two ranks: src/algorithms/swap.ts says why.

import { blockBytes } from "./lines";

/** Bytes of a line of the form that changes hands: elements, then a word that holds nothing. */
const heldBytes: usize = 60;
const lineBytes: usize = 64;

/** `length` elements from index `from` on into lines at `out`. The last line may be partial. */
export function toLines(out: usize, from: usize, length: usize): void {
  let line = out << 2;
  let at = from << 2;
  const end = at + (length << 2);
  // The word behind a line's elements gets the first one of the next line, so there has to be one.
  for (; at + heldBytes < end; at += heldBytes, line += lineBytes) copyLine(line, at);
  for (; at < end; at += 4, line += 4) store<u32>(line, load<u32>(at));
}

/**
 * `length` elements from lines at index `from`. Those are made this core's own first, by a store to the word that holds
 * nothing, so that they can be written the next time without asking for them. A block at once, see lines.ts.
 */
export function fromLines(out: usize, from: usize, length: usize): void {
  let to = out << 2;
  let line = from << 2;
  const end = to + (length << 2);
  while (to < end) {
    const blockEnd = min(to + (blockBytes / lineBytes) * heldBytes, end);
    for (let at = to, word = line + heldBytes; at < blockEnd; at += heldBytes, word += lineBytes) {
      store<u32>(word, 0);
    }
    // That word lands on the first element of the next line, so there has to be one.
    for (; to + heldBytes < blockEnd; to += heldBytes, line += lineBytes) copyLine(to, line);
    const last = to;
    for (; to < blockEnd; to += 4) store<u32>(to, load<u32>(line + (to - last)));
    line += lineBytes;
  }
}

@inline
function copyLine(to: usize, from: usize): void {
  const first = v128.load(from);
  const second = v128.load(from, 16);
  const third = v128.load(from, 32);
  const fourth = v128.load(from, 48);
  v128.store(to, first);
  v128.store(to, second, 16);
  v128.store(to, third, 32);
  v128.store(to, fourth, 48);
}
