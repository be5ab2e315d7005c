// Scales of blocks of weights, in float32 (4 bytes) or bfloat16 (2 bytes), which is the upper half of a float32.

/** Loads the scales of four blocks, which lie side by side, as float32. */
@inline
export function fourScales(at: usize, scaleBytes: usize): v128 {
  return scaleBytes === 2 ? fourScalesOf<u16>(at) : fourScalesOf<f32>(at);
}

/** Likewise, without a branch. `Scale` is how they are stored: u16 (bfloat16) or f32. */
@inline
export function fourScalesOf<Scale>(at: usize): v128 {
  if (sizeof<Scale>() === 2) return i32x4.shl(v128.load_ext<u16>(at), 16);
  return v128.load(at);
}

/** Loads the scale of one block, as float32. */
@inline
export function oneScale(at: usize, scaleBytes: usize): f32 {
  return scaleBytes === 2 ? reinterpret<f32>(<u32>load<u16>(at) << 16) : load<f32>(at);
}

/** Loads the scales of a block of four rows as float32; of one stream, four times the same. */
@inline
export function scalesOfFour(at: usize, scaleBytes: usize, streams: usize): v128 {
  return streams === 1 ? f32x4.splat(oneScale(at, scaleBytes)) : fourScales(at, scaleBytes);
}
