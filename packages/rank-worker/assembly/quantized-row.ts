// Rows of activations, rounded to int8 in blocks of 32 (the last one filled up with zeros): x ≈ scale · q with
// scale = max |x| / 127, as MatMulNBits rounds them at accuracy level 4
// (https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.MatMulNBits).
// A product with a block of weights is then scale · scale_w · (Σ q · w − zero · Σ q), the sums in whole numbers, the
// second one the same for all rows of a matrix. What is needed for a block lies together, so that a loop over blocks has
// one address to move:
//
//   for 4 bits      q of even elements, int8 ×16 │ of odd ones │ −8 · Σ q, int32 ×4   │ scale ×4        64 bytes
//   for 8 bits      q, int16 ×8 │ ×8 │ ×8 │ ×8                 │ −128 · Σ q, int32 ×4 │ scale ×4        96 bytes
//
// Where x has an infinity or NaN, its scale is none either, and so is every product.

import { dotBytes } from "./dot-bytes";

/** Bytes of a quantized block. */
export const bytesFor4: usize = 64;
export const bytesFor8: usize = 96;

/** Elements of a block, in bytes of float32. */
const blockFloats: usize = 128;

/**
 * Quantizes rows of `width` floats, one after the other, for weights of 4 bits. Addresses are in bytes.
 *
 * @param out has room for a block of floats behind what is written
 */
export function quantize4(x: usize, rows: u32, width: u32, out: usize): void {
  const blocks = (<usize>width + 31) >> 5;
  const padded = out + <usize>rows * blocks * bytesFor4;
  const rowBytes = <usize>width << 2;
  for (const end = x + <usize>rows * rowBytes; x < end; x += rowBytes) {
    for (let at: usize = 0; at < rowBytes; at += blockFloats, out += bytesFor4) {
      writeFor4(whole(x + at, rowBytes - at, padded), out);
    }
  }
}

/** Likewise, for weights of 8 bits. */
export function quantize8(x: usize, rows: u32, width: u32, out: usize): void {
  const blocks = (<usize>width + 31) >> 5;
  const padded = out + <usize>rows * blocks * bytesFor8;
  const rowBytes = <usize>width << 2;
  for (const end = x + <usize>rows * rowBytes; x < end; x += rowBytes) {
    for (let at: usize = 0; at < rowBytes; at += blockFloats, out += bytesFor8) {
      writeFor8(whole(x + at, rowBytes - at, padded), out);
    }
  }
}

function writeFor4(x: usize, out: usize): void {
  const most = largest(x);
  const inverse = f32x4.splat(inverseScale(most));
  const first = i8x16.narrow_i16x8_s(eight(x, inverse), eight(x + 32, inverse));
  const second = i8x16.narrow_i16x8_s(eight(x + 64, inverse), eight(x + 96, inverse));
  const even = v128.shuffle<i8>(first, second, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const odd = v128.shuffle<i8>(first, second, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
  const zero = i8x16.splat(8);
  const eights = i16x8.add(dotBytes(even, zero), dotBytes(odd, zero));
  v128.store(out, even);
  v128.store(out, odd, 16);
  writeRest(out + 32, i32x4.dot_i16x8_s(eights, i16x8.splat(-1)), most);
}

function writeFor8(x: usize, out: usize): void {
  const most = largest(x);
  const inverse = f32x4.splat(inverseScale(most));
  const zero = i16x8.splat(-128);
  let correction = i32x4.splat(0);
  for (let at: usize = 0; at < 64; at += 16) {
    const q = eight(x + 2 * at, inverse);
    v128.store(out + at, q);
    correction = i32x4.add(correction, i32x4.dot_i16x8_s(q, zero));
  }
  writeRest(out + 64, correction, most);
}

/** The sum of a correction's parts, and the scale, four times each. */
@inline
function writeRest(out: usize, correction: v128, most: f32): void {
  const pairs = i32x4.add(correction, v128.shuffle<i32>(correction, correction, 2, 3, 0, 1));
  v128.store(out, i32x4.add(pairs, v128.shuffle<i32>(pairs, pairs, 1, 0, 3, 2)));
  v128.store(out, f32x4.splat(most / 127), 16);
}

/** Where a block of 32 is whole: at `x`, or, filled up with zeros, at `padded`. */
function whole(x: usize, bytesLeft: usize, padded: usize): usize {
  if (bytesLeft >= blockFloats) return x;
  memory.copy(padded, x, bytesLeft);
  memory.fill(padded + bytesLeft, 0, blockFloats - bytesLeft);
  return padded;
}

/** The largest magnitude of a block. NaN where there is one. */
function largest(x: usize): f32 {
  let most = f32x4.abs(v128.load(x));
  for (let at: usize = 16; at < blockFloats; at += 16) most = f32x4.max(most, f32x4.abs(v128.load(x + at)));
  return max(
    max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
    max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
  );
}

@inline
function inverseScale(most: f32): f32 {
  return most === 0 ? 0 : 127 / most;
}

/** Eight floats as int8, in int16: to the nearest, halves to the even one. */
@inline
function eight(x: usize, inverse: v128): v128 {
  return i16x8.narrow_i32x4_s(
    i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(x), inverse))),
    i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(x, 16), inverse))),
  );
}
