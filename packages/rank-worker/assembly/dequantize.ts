// AssemblyScript: what TypeScript's syntax says, compiled to WebAssembly by scripts/build.mjs.
//
// Blocks of 32 weights, as MatMulNBits has them, made floats again: scale · (weight − zero).

/**
 * `count` rows of `width` floats, of weights of 4 bits. Addresses are in bytes.
 *
 * @param out has room for a block of floats behind the rows
 */
export function dequantize4(values: usize, scales: usize, out: usize, count: u32, width: u32): void {
  const rowBytes = <usize>width << 2;
  const low = i8x16.splat(15);
  const zero = i8x16.splat(8);
  for (const end = out + <usize>count * rowBytes; out < end; out += rowBytes) {
    // The last block's padding goes where the next row will be.
    for (let at: usize = 0; at < rowBytes; at += 128, values += 16, scales += 4) {
      const scale = v128.load_splat<f32>(scales);
      const v = v128.load(values);
      const even = i8x16.sub(v128.and(v, low), zero);
      const odd = i8x16.sub(i8x16.shr_u(v, 4), zero);
      const first = v128.shuffle<i8>(even, odd, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      const second = v128.shuffle<i8>(even, odd, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
      storeEight(out + at, i16x8.extend_low_i8x16_s(first), scale);
      storeEight(out + at + 32, i16x8.extend_high_i8x16_s(first), scale);
      storeEight(out + at + 64, i16x8.extend_low_i8x16_s(second), scale);
      storeEight(out + at + 96, i16x8.extend_high_i8x16_s(second), scale);
    }
  }
}

/** Likewise, of weights of 8 bits. */
export function dequantize8(values: usize, scales: usize, out: usize, count: u32, width: u32): void {
  const rowBytes = <usize>width << 2;
  const zero = i16x8.splat(128);
  for (const end = out + <usize>count * rowBytes; out < end; out += rowBytes) {
    for (let at: usize = 0; at < rowBytes; at += 128, values += 32, scales += 4) {
      const scale = v128.load_splat<f32>(scales);
      storeEight(out + at, i16x8.sub(v128.load_ext<u8>(values), zero), scale);
      storeEight(out + at + 32, i16x8.sub(v128.load_ext<u8>(values, 8), zero), scale);
      storeEight(out + at + 64, i16x8.sub(v128.load_ext<u8>(values, 16), zero), scale);
      storeEight(out + at + 96, i16x8.sub(v128.load_ext<u8>(values, 24), zero), scale);
    }
  }
}

/** Whole numbers times a scale, as floats. */
@inline
function storeEight(out: usize, numbers: v128, scale: v128): void {
  v128.store(out, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(numbers)), scale));
  v128.store(out, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(numbers)), scale), 16);
}
