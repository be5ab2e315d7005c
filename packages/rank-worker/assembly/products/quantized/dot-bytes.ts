/**
 * Multiplies 16 signed bytes by 16 bytes from 0 to 15, and adds up neighbouring products: eight sums of 16 bits. With
 * relaxed SIMD this is one instruction.
 */
@inline
export function dotBytes(signed: v128, small: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i16x8.relaxed_dot_i8x16_i7x16_s(signed, small);
  const even = i16x8.mul(i16x8.shr_s(i16x8.shl(signed, 8), 8), v128.and(small, i16x8.splat(15)));
  return i16x8.add(even, i16x8.mul(i16x8.shr_s(signed, 8), i16x8.shr_u(small, 8)));
}
