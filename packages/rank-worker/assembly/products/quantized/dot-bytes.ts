/**
 * Multiplies 16 signed bytes by 16 unsigned ones, and adds up neighbouring products: eight sums of 16 bits, which must
 * hold them. With relaxed SIMD this is one instruction. It takes unsigned bytes from 128 on as such on x64, where it is
 * VPMADDUBSW; on other processors as negative numbers.
 */
@inline
export function dotBytes(signed: v128, unsigned: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i16x8.relaxed_dot_i8x16_i7x16_s(signed, unsigned);
  const even = i16x8.mul(i16x8.shr_s(i16x8.shl(signed, 8), 8), v128.and(unsigned, i16x8.splat(255)));
  return i16x8.add(even, i16x8.mul(i16x8.shr_s(signed, 8), i16x8.shr_u(unsigned, 8)));
}
