/**
 * Products of 16 signed bytes and 16 from 0 to 15, each two of them added up: in which lane which two is not said. With
 * relaxed SIMD it is one instruction.
 */
@inline
export function dotBytes(signed: v128, small: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i16x8.relaxed_dot_i8x16_i7x16_s(signed, small);
  return i16x8.add(i16x8.extmul_low_i8x16_s(signed, small), i16x8.extmul_high_i8x16_s(signed, small));
}
