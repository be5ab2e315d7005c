// Blocks of 32 floats of a row, of which the last may be partial.

/** A block, in bytes of float32. */
export const blockFloats: usize = 128;

/** Where a block of 32 is whole: at `x`, or, filled up with zeros, at `padded`. */
export function whole(x: usize, bytesLeft: usize, padded: usize): usize {
  if (bytesLeft >= blockFloats) return x;
  memory.copy(padded, x, bytesLeft);
  memory.fill(padded + bytesLeft, 0, blockFloats - bytesLeft);
  return padded;
}

/** The largest magnitude of a block. NaN where there is one. */
export function largest(x: usize): f32 {
  let most = f32x4.abs(v128.load(x));
  for (let at: usize = 16; at < blockFloats; at += 16) most = f32x4.max(most, f32x4.abs(v128.load(x + at)));
  return max(
    max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
    max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
  );
}
