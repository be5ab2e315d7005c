// Vectors of four floats.

/**
 * `a · b + c`. With relaxed SIMD (https://github.com/WebAssembly/relaxed-simd) an engine may round once, and on
 * processors that have it, it is one instruction in place of two.
 */
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(c, f32x4.mul(a, b));
}

/**
 * A number that lies in memory (`memory.data`), in all lanes: one instruction. V8 makes a vector that it knows anew in
 * each turn of a loop, by three instructions, or twice as many where it computes two vectors as one.
 *
 * @param index of the number, of several one after the other
 */
@inline
export function constant(numbers: usize, index: usize = 0): v128 {
  return v128.load32_splat(numbers + (index << 2));
}

/**
 * Stores two vectors that are computed alike, one after the other. With `--experimental-wasm-revectorize`, this is where
 * V8 begins to look for what it can compute of both by one instruction, on registers twice as wide; back to loads, of
 * which none may come between these stores. The second goes first: V8 would store the first once more.
 */
@inline
export function storePair(out: usize, first: v128, second: v128): void {
  v128.store(out, second, 16);
  v128.store(out, first);
}

/** 1.5 · 2²³: added to it, a number is rounded to a whole one, which stands in the lowest bits of the sum. */
export const roundingAddend: f32 = 12582912;

// Constants of several files, in memory: see `constant`.

export const rounding = memory.data<f32>([roundingAddend]);
export const log2e = memory.data<f32>([1.44269504088896341]);
/** All bits of a float but its sign. */
export const magnitudeBits = memory.data<u32>([0x7fffffff]);

/**
 * To the nearest whole numbers, halves to the even one, as int32; of numbers up to 2²² in magnitude.
 *
 * @param addend {@link roundingAddend}
 */
@inline
export function rounded(x: v128, addend: v128): v128 {
  return i32x4.sub(f32x4.add(x, addend), addend);
}

/** Bytes of a table of sixteen, by indices up to 15. */
@inline
export function choose(table: v128, indices: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i8x16.relaxed_swizzle(table, indices);
  return i8x16.swizzle(table, indices);
}

/** NaN where a lane is. */
@inline
export function largestLane(x: v128): f32 {
  return max(
    max(f32x4.extract_lane(x, 0), f32x4.extract_lane(x, 1)),
    max(f32x4.extract_lane(x, 2), f32x4.extract_lane(x, 3)),
  );
}

/** The sums of the lanes of each. */
@inline
export function sumEach(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}

/** Added to this, a number is rounded to a whole one, of which the lowest bits of the sum are the exponent of 2ⁿ. */
const roundingToExponent = memory.data<f32>([roundingAddend + 127]);
/** Of 2ʳ; that of the highest power first. */
const ofPowerOfTwo = memory.data<f32>([
  1.535336188319500e-4,
  1.339887440266574e-3,
  9.618437357674640e-3,
  5.550332471162809e-2,
  2.402264791363012e-1,
  6.931472028550421e-1,
  1,
]);
const leastExponent = memory.data<f32>([-64]);

/**
 * eˣ for x ≤ 0, within 1e-7: 2ⁿ · 2ʳ with x · log₂e = n + r and |r| ≤ ½, 2ʳ by the polynomial of Cephes
 * (https://www.netlib.org/cephes, exp2f). NaN stays. Below −64 it is 0: beside a largest share of 1, float32 has no
 * place for less, and products with it would be denormal, each of which takes some processors a hundred cycles.
 */
@inline
export function exponential(x: v128): v128 {
  const addend = constant(roundingToExponent);
  const shifted = madd(x, constant(log2e), addend);
  const r = madd(x, constant(log2e), f32x4.sub(addend, shifted));
  let p = constant(ofPowerOfTwo);
  p = madd(p, r, constant(ofPowerOfTwo, 1));
  p = madd(p, r, constant(ofPowerOfTwo, 2));
  p = madd(p, r, constant(ofPowerOfTwo, 3));
  p = madd(p, r, constant(ofPowerOfTwo, 4));
  p = madd(p, r, constant(ofPowerOfTwo, 5));
  p = madd(p, r, constant(ofPowerOfTwo, 6));
  // To add n to the exponent would make numbers of some NaNs.
  const power = f32x4.mul(p, i32x4.shl(shifted, 23));
  return v128.andnot(power, f32x4.lt(x, constant(leastExponent)));
}
