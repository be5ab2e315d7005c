// AssemblyScript, which has TypeScript's syntax and is compiled to WebAssembly by scripts/build.mjs. Addresses are in
// bytes; `count` counts elements. The caller has checked all bounds. src/weights/kernels/plain-kernels.ts defines what
// each kernel computes, bit for bit.

/** A bfloat16 is the upper half of a float32. */
export function widenBfloat16(to: usize, from: usize, count: usize): void {
  const end = from + (count << 1);
  const lastEight = from + ((count & ~7) << 1);
  const zero = i16x8.splat(0);
  for (; from < lastEight; from += 16, to += 32) {
    const halves = v128.load(from);
    v128.store(to, v128.shuffle<i16>(zero, halves, 0, 8, 0, 9, 0, 10, 0, 11));
    v128.store(to, v128.shuffle<i16>(zero, halves, 0, 12, 0, 13, 0, 14, 0, 15), 16);
  }
  for (; from < end; from += 2, to += 4) store<u32>(to, (<u32>load<u16>(from)) << 16);
}

export function widenFloat16(to: usize, from: usize, count: usize): void {
  const end = from + (count << 1);
  const lastFour = from + ((count & ~3) << 1);
  for (; from < lastFour; from += 8, to += 16) v128.store(to, widenFour(v128.load_ext<u16>(from)));
  for (; from < end; from += 2, to += 4) {
    store<i32>(to, i32x4.extract_lane(widenFour(i32x4.splat(<i32>load<u16>(from))), 0));
  }
}

/**
 * Exponent and fraction move to their new places, and a product with 2¹¹² corrects the exponent's bias, exactly even
 * for subnormals. An exponent of all ones stays all ones.
 */
@inline
function widenFour(halves: v128): v128 {
  const magnitude = i32x4.shl(v128.and(halves, i32x4.splat(0x7fff)), 13);
  const finite = f32x4.mul(magnitude, f32x4.splat(5.192296858534828e33));
  const infinite = v128.or(magnitude, i32x4.splat(0x7f800000));
  const isFinite = i32x4.lt_s(magnitude, i32x4.splat(0x0f800000));
  const sign = i32x4.shl(v128.and(halves, i32x4.splat(0x8000)), 16);
  return v128.or(sign, v128.bitselect(finite, infinite, isFinite));
}
