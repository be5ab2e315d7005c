// Scales of blocks of weights, of 4 bytes or of 2: a bfloat16 is the upper half of a float32.

/** Of four blocks, side by side, as float32. */
@inline
export function fourScales(at: usize, scaleBytes: usize): v128 {
  return scaleBytes === 2 ? fourScalesOf<u16>(at) : fourScalesOf<f32>(at);
}

/** Likewise, without a branch. `Scale` is u16 or f32, as they are stored. */
@inline
export function fourScalesOf<Scale>(at: usize): v128 {
  if (sizeof<Scale>() === 2) return i32x4.shl(v128.load_ext<u16>(at), 16);
  return v128.load(at);
}

/** Of one block, as float32. */
@inline
export function oneScale(at: usize, scaleBytes: usize): f32 {
  return scaleBytes === 2 ? reinterpret<f32>(<u32>load<u16>(at) << 16) : load<f32>(at);
}
