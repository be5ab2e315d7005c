// Blocks of 32 floats of a row, of which the last may be partial.

/** A block, in bytes of float32. */
export const blockBytes: usize = 128;

/** Where a block of 32 is whole: at `x`, or, filled up with zeros, at `padded`. */
@inline
export function whole(x: usize, bytesLeft: usize, padded: usize): usize {
  if (bytesLeft >= blockBytes) return x;
  memory.copy(padded, x, bytesLeft);
  memory.fill(padded + bytesLeft, 0, blockBytes - bytesLeft);
  return padded;
}
