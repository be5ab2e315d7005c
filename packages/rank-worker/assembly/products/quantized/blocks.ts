// Blocks of 32 floats of a row, the last of which may be partial.

/** Bytes of a block of float32. */
export const blockBytes: usize = 128;

/** The address of a whole block: `x`, or `padded`, to which a partial block is copied and padded with zeros. */
@inline
export function whole(x: usize, bytesLeft: usize, padded: usize): usize {
  if (bytesLeft >= blockBytes) return x;
  memory.copy(padded, x, bytesLeft);
  memory.fill(padded + bytesLeft, 0, blockBytes - bytesLeft);
  return padded;
}
