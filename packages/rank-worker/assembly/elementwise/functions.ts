// Functions of vectors of four floats, accurate to 1.5e-7 of their values (src/elementwise/instruction-list.test.ts).
// NaN stays NaN. Tables have the coefficients of a polynomial, beginning with that of the highest power.

import { constant, log2e, madd, rounding } from "../vectors";

const one = memory.data<f32>([1]);
/** Below the first, eˣ is 0, and above the second ∞. */
const expLimits = memory.data<f32>([-104, 89]);

/** eˣ for all x. If x is known to be at most 0, `exponential` in vectors.ts is cheaper. */
@inline
export function exp(x: v128): v128 {
  // Both operations return their first operand if it is NaN.
  const bounded = f32x4.pmax(f32x4.pmin(x, constant(expLimits, 1)), constant(expLimits));
  const shifted = shiftedExponent(bounded);
  // At either end float32 cannot represent 2ⁿ, so it is multiplied in as two factors.
  const n = i32x4.sub(shifted, constant(rounding));
  const half = i32x4.shr_s(n, 1);
  const power = expOfRest(bounded, shifted);
  return f32x4.mul(f32x4.mul(power, powerOfTwo(half)), powerOfTwo(i32x4.sub(n, half)));
}

/** eˣ for x from −87 to 87, for which it is a normal number. */
@inline
function expWithin(x: v128): v128 {
  const shifted = shiftedExponent(x);
  // The lowest bits of `shifted` are n. A product, since adding n to the exponent would turn some NaNs into numbers.
  return f32x4.mul(expOfRest(x, shifted), powerOfTwo(shifted));
}

/** n + 1.5 · 2²³, where n is the integer nearest to x / ln 2. */
@inline
function shiftedExponent(x: v128): v128 {
  return madd(x, constant(log2e), constant(rounding));
}

/** −ln 2 as a sum of two numbers, the first of which has so few bits that n times it is exact. */
const ln2 = memory.data<f32>([-0.693359375, 2.12194440e-4]);
/** For (eʳ − 1 − r) / r². */
const ofExp = memory.data<f32>([
  1.9875691500e-4,
  1.3981999507e-3,
  8.3334519073e-3,
  4.1665795894e-2,
  1.6666665459e-1,
  5.0000001201e-1,
]);

/**
 * eʳ for r = x − n · ln 2, |r| ≤ ½ ln 2, so that eˣ = 2ⁿ · eʳ, by the polynomial of Cephes
 * (https://www.netlib.org/cephes, expf).
 */
@inline
function expOfRest(x: v128, shifted: v128): v128 {
  const n = f32x4.sub(shifted, constant(rounding));
  let r = madd(n, constant(ln2), x);
  r = madd(n, constant(ln2, 1), r);
  let p = constant(ofExp);
  p = madd(p, r, constant(ofExp, 1));
  p = madd(p, r, constant(ofExp, 2));
  p = madd(p, r, constant(ofExp, 3));
  p = madd(p, r, constant(ofExp, 4));
  p = madd(p, r, constant(ofExp, 5));
  return f32x4.add(madd(p, f32x4.mul(r, r), r), constant(one));
}

const exponentBias = memory.data<i32>([127]);

/** 2ⁿ for an integer n, of which only the lowest bits are looked at. */
@inline
function powerOfTwo(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, constant(exponentBias)), 23);
}

const sigmoidLimits = memory.data<f32>([-87, 87]);

/** 1 / (1 + e⁻ˣ), but 0 below −87: the results there are mostly subnormal, and processors compute slowly with those. */
@inline
export function sigmoid(x: v128): v128 {
  const bounded = f32x4.pmax(f32x4.pmin(x, constant(sigmoidLimits, 1)), constant(sigmoidLimits));
  const share = f32x4.div(constant(one), f32x4.add(constant(one), expWithin(f32x4.neg(bounded))));
  return v128.andnot(share, f32x4.lt(x, constant(sigmoidLimits)));
}

/** For (tanh t − t) / t³, in powers of t². */
const ofTanh = memory.data<f32>([
  -5.70498872745e-3,
  2.06390887954e-2,
  -5.37397155531e-2,
  1.33314422036e-1,
  -3.33332819422e-1,
]);
const tanhNear = memory.data<f32>([0.625]);
const two = memory.data<f32>([2]);
/** Bounds 2t: from t = 10 on, tanh is 1. */
const tanhMostDouble = memory.data<f32>([20]);

/** For t = |x| < 0.625 the polynomial of Cephes (tanhf), otherwise 1 − 2 / (1 + e²ᵗ), with the sign of x. */
@inline
export function tanh(x: v128): v128 {
  const t = f32x4.abs(x);
  const square = f32x4.mul(t, t);
  let p = constant(ofTanh);
  p = madd(p, square, constant(ofTanh, 1));
  p = madd(p, square, constant(ofTanh, 2));
  p = madd(p, square, constant(ofTanh, 3));
  p = madd(p, square, constant(ofTanh, 4));
  const near = madd(f32x4.mul(p, square), t, t);
  const double = f32x4.pmin(f32x4.add(t, t), constant(tanhMostDouble));
  const share = f32x4.div(constant(two), f32x4.add(constant(one), expWithin(double)));
  const isNear = f32x4.lt(t, constant(tanhNear));
  return withSign(v128.bitselect(near, f32x4.sub(constant(one), share), isNear), x);
}

/** From 4 on, erf is 1. */
const erfMost = memory.data<f32>([4]);
const erfNear = memory.data<f32>([0.927734375]);
/** For (erf t − t) / t, in powers of t². */
const ofErf = memory.data<f32>([
  -5.96761703e-4,
  4.99119423e-3,
  -2.67681349e-2,
  1.12819925e-1,
  -3.76125336e-1,
  1.28379166e-1,
]);
/** For ln(1 − erf t) / t + 1. */
const ofLogOfRest = memory.data<f32>([
  -1.7285347e-5,
  3.83197126e-4,
  -3.88396438e-3,
  2.42546219e-2,
  -1.06777877e-1,
  -6.34846687e-1,
  -1.28717512e-1,
]);

/**
 * 2/√π ∫₀ˣ exp(−t²) dt, by two polynomials of Norbert Juffa, the second of which gives ln(1 − erf)
 * (https://stackoverflow.com/questions/35148198).
 */
@inline
export function erf(x: v128): v128 {
  const t = f32x4.pmin(f32x4.abs(x), constant(erfMost));
  const square = f32x4.mul(t, t);
  let p = constant(ofErf);
  p = madd(p, square, constant(ofErf, 1));
  p = madd(p, square, constant(ofErf, 2));
  p = madd(p, square, constant(ofErf, 3));
  p = madd(p, square, constant(ofErf, 4));
  p = madd(p, square, constant(ofErf, 5));
  const near = madd(p, t, t);
  let q = madd(constant(ofLogOfRest), t, constant(ofLogOfRest, 1));
  q = madd(q, square, madd(constant(ofLogOfRest, 2), t, constant(ofLogOfRest, 3)));
  q = madd(q, t, constant(ofLogOfRest, 4));
  q = madd(q, t, constant(ofLogOfRest, 5));
  q = madd(q, t, constant(ofLogOfRest, 6));
  q = f32x4.sub(f32x4.mul(q, t), t);
  const far = f32x4.sub(constant(one), expWithin(q));
  const isNear = f32x4.lt(t, constant(erfNear));
  return withSign(v128.bitselect(near, far, isNear), x);
}

const signBit = memory.data<i32>([0x80000000]);

/** `x`, which is not negative, with the sign of `from`. */
@inline
function withSign(x: v128, from: v128): v128 {
  return v128.or(x, v128.and(from, constant(signBit)));
}
