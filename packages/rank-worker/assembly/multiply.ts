// AssemblyScript: what TypeScript's syntax says, compiled to WebAssembly by scripts/build.mjs.
//
// One quantized row (quantized-row.ts) times a matrix of quantized weights as MatMulNBits has them: rows of blocks of 32
// weights, of 4 bits (the even element in the low half of a byte) or 8, and a scale for each block.
//
// A decode step does little else, and its time should be that of reading the weights. Four rows of the matrix are taken
// side by side, one from each quarter, since each of them is then a stream of memory from beginning to end, which
// processors read ahead; neighbouring rows would begin four new streams every four rows. Sums of the four share one
// vector from each block on, which takes fewer instructions than one sum for each, and few enough registers: with four
// of each (16 in all), V8 keeps some of them in memory.

import { add } from "./add";
import { dotBytes } from "./dot-bytes";
import { bytesFor4, bytesFor8 } from "./quantized-row";
import { madd } from "./vectors";

/**
 * `out[row][i] = x[row] · matrix[i] + bias[i]`, weights of 4 bits. Addresses are in bytes.
 *
 * @param x quantized by `quantize4`
 * @param bias 0 for none
 * @param outBytes from one row of `out` to the next
 * @param count rows of the matrix
 * @param blocks of a row
 */
export function multiply4(
  x: usize,
  rows: u32,
  values: usize,
  scales: usize,
  bias: usize,
  out: usize,
  outBytes: u32,
  count: u32,
  blocks: u32,
): void {
  const rowBytes = <usize>blocks * bytesFor4;
  const quarter = <usize>count >> 2;
  for (const end = x + <usize>rows * rowBytes; x < end; x += rowBytes, out += outBytes) {
    if (quarter > 0) byQuarters4(x, values, scales, out, quarter, blocks);
    for (let one = quarter << 2; one < count; one++) {
      const at = one * blocks;
      oneRow4(x, values + (at << 4), scales + (at << 2), out + (one << 2), blocks);
    }
    if (bias !== 0) add(out, bias, out, count);
  }
}

/** Likewise, weights of 8 bits and `x` quantized by `quantize8`. */
export function multiply8(
  x: usize,
  rows: u32,
  values: usize,
  scales: usize,
  bias: usize,
  out: usize,
  outBytes: u32,
  count: u32,
  blocks: u32,
): void {
  const rowBytes = <usize>blocks * bytesFor8;
  const quarter = <usize>count >> 2;
  for (const end = x + <usize>rows * rowBytes; x < end; x += rowBytes, out += outBytes) {
    if (quarter > 0) byQuarters8(x, values, scales, out, quarter, blocks);
    for (let one = quarter << 2; one < count; one++) {
      const at = one * blocks;
      oneRow8(x, values + (at << 5), scales + (at << 2), out + (one << 2), blocks);
    }
    if (bias !== 0) add(out, bias, out, count);
  }
}

function byQuarters4(x: usize, values: usize, scales: usize, out: usize, quarter: usize, blocks: usize): void {
  const low = i8x16.splat(<i8>(15 + unknownZero()));
  const ones = i16x8.splat(<i16>(1 + unknownZero()));
  const toQuarter = (quarter * blocks) << 4;
  for (const end = out + (quarter << 2); out < end; out += 4) {
    const rowEnd = values + (blocks << 4);
    let at = x;
    let sum = f32x4.splat(0);
    do {
      const even = v128.load(at);
      const odd = v128.load(at, 16);
      const w1 = values + toQuarter;
      const w2 = w1 + toQuarter;
      const a = dot4(v128.load(values), even, odd, low);
      const b = dot4(v128.load(w1), even, odd, low);
      const c = dot4(v128.load(w2), even, odd, low);
      const d = dot4(v128.load(w2 + toQuarter), even, odd, low);
      // 8 bits · 4 bits · 16 products: 16 bits with the sign.
      const dots = i32x4.dot_i16x8_s(pairsOfEach(a, b, c, d), ones);
      const exact = i32x4.add(dots, v128.load(at, 32));
      const scale = f32x4.mul(scalesOfEach(scales, toQuarter >> 2), v128.load(at, 48));
      sum = madd(f32x4.convert_i32x4_s(exact), scale, sum);
      at += bytesFor4;
      values += 16;
      scales += 4;
    } while (values < rowEnd);
    storeEach(out, quarter << 2, sum);
  }
}

function byQuarters8(x: usize, values: usize, scales: usize, out: usize, quarter: usize, blocks: usize): void {
  const toQuarter = (quarter * blocks) << 5;
  for (const end = out + (quarter << 2); out < end; out += 4) {
    const rowEnd = values + (blocks << 5);
    let at = x;
    let sum = f32x4.splat(0);
    do {
      const q0 = v128.load(at);
      const q1 = v128.load(at, 16);
      const q2 = v128.load(at, 32);
      const q3 = v128.load(at, 48);
      const w1 = values + toQuarter;
      const w2 = w1 + toQuarter;
      const a = dot8(values, q0, q1, q2, q3);
      const b = dot8(w1, q0, q1, q2, q3);
      const c = dot8(w2, q0, q1, q2, q3);
      const d = dot8(w2 + toQuarter, q0, q1, q2, q3);
      const exact = i32x4.add(totalOfEach(a, b, c, d), v128.load(at, 64));
      const scale = f32x4.mul(scalesOfEach(scales, toQuarter >> 3), v128.load(at, 80));
      sum = madd(f32x4.convert_i32x4_s(exact), scale, sum);
      at += bytesFor8;
      values += 32;
      scales += 4;
    } while (values < rowEnd);
    storeEach(out, quarter << 2, sum);
  }
}

/** One row of the matrix. */
function oneRow4(x: usize, values: usize, scales: usize, out: usize, blocks: usize): void {
  const low = i8x16.splat(15);
  const ones = i16x8.splat(1);
  let sum: f32 = 0;
  for (const end = values + (blocks << 4); values < end; values += 16, scales += 4, x += bytesFor4) {
    const dots = i32x4.dot_i16x8_s(dot4(v128.load(values), v128.load(x), v128.load(x, 16), low), ones);
    sum += <f32>(sumLanes(dots) + load<i32>(x, 32)) * (load<f32>(scales) * load<f32>(x, 48));
  }
  store<f32>(out, sum);
}

function oneRow8(x: usize, values: usize, scales: usize, out: usize, blocks: usize): void {
  let sum: f32 = 0;
  for (const end = values + (blocks << 5); values < end; values += 32, scales += 4, x += bytesFor8) {
    const dots = dot8(values, v128.load(x), v128.load(x, 16), v128.load(x, 32), v128.load(x, 48));
    sum += <f32>(sumLanes(dots) + load<i32>(x, 64)) * (load<f32>(scales) * load<f32>(x, 80));
  }
  store<f32>(out, sum);
}

/** Σ q · w of a block, in eight parts of 16 bits. */
@inline
function dot4(weights: v128, even: v128, odd: v128, low: v128): v128 {
  return i16x8.add(
    dotBytes(even, v128.and(weights, low)),
    dotBytes(odd, v128.and(i16x8.shr_u(weights, 4), low)),
  );
}

/** Σ q · w of a block, in four parts of 32 bits. */
@inline
function dot8(weights: usize, q0: v128, q1: v128, q2: v128, q3: v128): v128 {
  return i32x4.add(
    i32x4.add(
      i32x4.dot_i16x8_s(v128.load_ext<u8>(weights), q0),
      i32x4.dot_i16x8_s(v128.load_ext<u8>(weights, 8), q1),
    ),
    i32x4.add(
      i32x4.dot_i16x8_s(v128.load_ext<u8>(weights, 16), q2),
      i32x4.dot_i16x8_s(v128.load_ext<u8>(weights, 24), q3),
    ),
  );
}

/** The sums of eight lanes of 16 bits of each, as two lanes side by side. */
@inline
function pairsOfEach(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i16x8.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
  const cd = i16x8.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
  return i16x8.add(v128.shuffle<i64>(ab, cd, 0, 2), v128.shuffle<i64>(ab, cd, 1, 3));
}

/** The sums of four lanes of each. */
@inline
function totalOfEach(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
  const cd = i32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
  return i32x4.add(v128.shuffle<i64>(ab, cd, 0, 2), v128.shuffle<i64>(ab, cd, 1, 3));
}

@inline
function sumLanes(x: v128): i32 {
  return (
    i32x4.extract_lane(x, 0) + i32x4.extract_lane(x, 1) + (i32x4.extract_lane(x, 2) + i32x4.extract_lane(x, 3))
  );
}

/** A block's scale from each quarter. */
@inline
function scalesOfEach(at: usize, toQuarter: usize): v128 {
  const b = at + toQuarter;
  const c = b + toQuarter;
  let scales = v128.load_zero<f32>(at);
  scales = v128.load_lane<f32>(b, scales, 1);
  scales = v128.load_lane<f32>(c, scales, 2);
  return v128.load_lane<f32>(c + toQuarter, scales, 3);
}

/** A lane to each quarter. */
@inline
function storeEach(out: usize, quarterBytes: usize, lanes: v128): void {
  const c = out + 2 * quarterBytes;
  v128.store_lane<f32>(out, lanes, 0);
  v128.store_lane<f32>(out + quarterBytes, lanes, 1);
  v128.store_lane<f32>(c, lanes, 2);
  v128.store_lane<f32>(c + quarterBytes, lanes, 3);
}

/**
 * 0, of which the engine does not know: nothing lies at address 0. V8 makes a vector that it knows anew in each turn of
 * a loop, by three instructions.
 */
@inline
function unknownZero(): i32 {
  return load<i32>(0);
}
