// Vectors of four floats.

/**
 * `a · b + c`. With relaxed SIMD (https://github.com/WebAssembly/relaxed-simd), it is one instruction instead of two on
 * processors that have it, and the result is then rounded only once.
 */
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(c, f32x4.mul(a, b));
}

/**
 * A number from memory (`memory.data`) in all lanes, which takes one instruction. V8 makes constant vectors anew in
 * each iteration of a loop, by three instructions, or by six if it computes two vectors as one.
 *
 * @param index of the number, if there are several in a row
 */
@inline
export function constant(numbers: usize, index: usize = 0): v128 {
  return v128.load32_splat(numbers + (index << 2));
}

/**
 * Stores two vectors side by side that are computed in the same way. With `--experimental-wasm-revectorize`, V8 starts
 * from these stores and combines what leads to them into operations on 256 bits, back to the loads. No load may come
 * between the stores. The second vector is stored first, since V8 would otherwise store the first one twice.
 */
@inline
export function storePair(out: usize, first: v128, second: v128): void {
  v128.store(out, second, 16);
  v128.store(out, first);
}

/** Loads each lane from its own place; the places are `toNext` bytes apart. */
@inline
export function loadEach(at: usize, toNext: usize): v128 {
  const third = at + 2 * toNext;
  let lanes = v128.load_zero<f32>(at);
  lanes = v128.load_lane<f32>(at + toNext, lanes, 1);
  lanes = v128.load_lane<f32>(third, lanes, 2);
  return v128.load_lane<f32>(third + toNext, lanes, 3);
}

/** Stores each lane to its own output; the outputs are `toOutput` bytes apart. */
@inline
export function storeEach(out: usize, toOutput: usize, lanes: v128): void {
  const third = out + 2 * toOutput;
  v128.store_lane<f32>(out, lanes, 0);
  v128.store_lane<f32>(out + toOutput, lanes, 1);
  v128.store_lane<f32>(third, lanes, 2);
  v128.store_lane<f32>(third + toOutput, lanes, 3);
}

/** 1.5 · 2²³. A number that is added to it is rounded to an integer, which is in the lowest bits of the sum. */
export const roundingAddend: f32 = 12582912;

// Constants of several files, in memory: see `constant`.

export const rounding = memory.data<f32>([roundingAddend]);
export const log2e = memory.data<f32>([1.44269504088896341]);
/** All bits of a float except its sign. */
export const magnitudeBits = memory.data<u32>([0x7fffffff]);

/**
 * The nearest integers as int32, halves to even, of numbers up to 2²² in magnitude.
 *
 * @param addend {@link roundingAddend}
 */
@inline
export function rounded(x: v128, addend: v128): v128 {
  return i32x4.sub(f32x4.add(x, addend), addend);
}

/** Looks up bytes in a table of sixteen. Indices are bytes up to 15. */
@inline
export function choose(table: v128, indices: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i8x16.relaxed_swizzle(table, indices);
  return i8x16.swizzle(table, indices);
}

/** The largest of the four lanes; NaN if any of them is. */
@inline
export function largestLane(x: v128): f32 {
  return max(
    max(f32x4.extract_lane(x, 0), f32x4.extract_lane(x, 1)),
    max(f32x4.extract_lane(x, 2), f32x4.extract_lane(x, 3)),
  );
}

/** The sum of the four lanes: of the first two, plus that of the others. */
@inline
export function sumLanes(x: v128): f32 {
  return (
    f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3))
  );
}

/** The four sums of the lanes of each vector. */
@inline
export function sumEach(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}

// The rows of a 4 × 4 transpose: one lane of each of four vectors.

@inline
export function firstLanes(a: v128, b: v128, c: v128, d: v128): v128 {
  return v128.shuffle<i64>(lowLanes(a, b), lowLanes(c, d), 0, 2);
}

@inline
export function secondLanes(a: v128, b: v128, c: v128, d: v128): v128 {
  return v128.shuffle<i64>(lowLanes(a, b), lowLanes(c, d), 1, 3);
}

@inline
export function thirdLanes(a: v128, b: v128, c: v128, d: v128): v128 {
  return v128.shuffle<i64>(highLanes(a, b), highLanes(c, d), 0, 2);
}

@inline
export function fourthLanes(a: v128, b: v128, c: v128, d: v128): v128 {
  return v128.shuffle<i64>(highLanes(a, b), highLanes(c, d), 1, 3);
}

@inline
function lowLanes(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 0, 4, 1, 5);
}

@inline
function highLanes(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 2, 6, 3, 7);
}

/** If x is added to this, the lowest bits of the sum are the biased exponent of 2ⁿ, with n the integer nearest to x. */
const roundingToExponent = memory.data<f32>([roundingAddend + 127]);
/** The coefficients of a polynomial for 2ʳ, beginning with that of the highest power. */
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
 * eˣ for x ≤ 0, within 1e-7: 2ⁿ · 2ʳ with x · log₂e = n + r and |r| ≤ ½, where 2ʳ is the polynomial of Cephes
 * (https://www.netlib.org/cephes, exp2f). NaN stays NaN. Below −64 the result is 0: beside a largest share of 1, a
 * share that small is lost in float32, and its products may be subnormal, each of which costs some processors a hundred
 * cycles.
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
  // A product, since adding n to the exponent would turn some NaNs into numbers.
  const power = f32x4.mul(p, i32x4.shl(shifted, 23));
  return v128.andnot(power, f32x4.lt(x, constant(leastExponent)));
}
