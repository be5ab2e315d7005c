// Functions of vectors of four floats, accurate to 1.5e-7 of their values (src/elementwise/instruction-list.test.ts).
// NaN stays NaN. Coefficients of a polynomial begin with that of the highest power.

import { constant, log2e, madd, rounding } from "../vectors";

const one = memory.data<f32>([1]);
/** Beyond these, eˣ is 0 and ∞. */
const expLimits = memory.data<f32>([-104, 89]);

/** eˣ for all x. If x is known to be at most 0, `exponential` in vectors.ts is cheaper. */
@inline
export function exp(x: v128): v128 {
  // The smaller and the larger of two, of which the first stays where it is NaN.
  const bounded = f32x4.pmax(f32x4.pmin(x, constant(expLimits, 1)), constant(expLimits));
  const shifted = shiftedExponent(bounded);
  // float32 has no 2ⁿ at either end, but both halves of it.
  const n = i32x4.sub(shifted, constant(rounding));
  const half = i32x4.shr_s(n, 1);
  const power = expOfRest(bounded, shifted);
  return f32x4.mul(f32x4.mul(power, powerOfTwo(half)), powerOfTwo(i32x4.sub(n, half)));
}

/** eˣ, of x from −87 to 87, between which all are normal numbers. */
@inline
function expWithin(x: v128): v128 {
  const shifted = shiftedExponent(x);
  // n stands in the lowest bits of the sum. Added to the exponent, bits of a NaN would make a number of it.
  return f32x4.mul(expOfRest(x, shifted), powerOfTwo(shifted));
}

/** n + 1.5 · 2²³, of n, the whole number next to x / ln 2. */
@inline
function shiftedExponent(x: v128): v128 {
  return madd(x, constant(log2e), constant(rounding));
}

/** −ln 2 in two parts: a whole number times the first is exact. */
const ln2 = memory.data<f32>([-0.693359375, 2.12194440e-4]);
/** Of (eʳ − 1 − r) / r². */
const ofExp = memory.data<f32>([
  1.9875691500e-4,
  1.3981999507e-3,
  8.3334519073e-3,
  4.1665795894e-2,
  1.6666665459e-1,
  5.0000001201e-1,
]);

/**
 * eʳ of r = x − n · ln 2, |r| ≤ ½ ln 2, so that eˣ is 2ⁿ · eʳ; by the polynomial of Cephes
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

/** 2ⁿ, of a whole number, or of what has it in its lowest bits. */
@inline
function powerOfTwo(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, constant(exponentBias)), 23);
}

const sigmoidLimits = memory.data<f32>([-87, 87]);

/**
 * 1 / (1 + e⁻ˣ). Below −87 it is 0: all that float32 has there are subnormal numbers, with which processors calculate
 * slowly.
 */
@inline
export function sigmoid(x: v128): v128 {
  const bounded = f32x4.pmax(f32x4.pmin(x, constant(sigmoidLimits, 1)), constant(sigmoidLimits));
  const share = f32x4.div(constant(one), f32x4.add(constant(one), expWithin(f32x4.neg(bounded))));
  return v128.andnot(share, f32x4.lt(x, constant(sigmoidLimits)));
}

/** Of (tanh t − t) / t³, in powers of t². */
const ofTanh = memory.data<f32>([
  -5.70498872745e-3,
  2.06390887954e-2,
  -5.37397155531e-2,
  1.33314422036e-1,
  -3.33332819422e-1,
]);
const tanhNear = memory.data<f32>([0.625]);
const two = memory.data<f32>([2]);
/** From 10 on, tanh is 1. */
const tanhMostDouble = memory.data<f32>([20]);

/** Of |x| < 0.625 by the polynomial of Cephes (tanhf), elsewhere 1 − 2 / (1 + e²ˣ). */
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
/** Of (erf t − t) / t, in powers of t². */
const ofErf = memory.data<f32>([
  -5.96761703e-4,
  4.99119423e-3,
  -2.67681349e-2,
  1.12819925e-1,
  -3.76125336e-1,
  1.28379166e-1,
]);
/** Of ln(1 − erf t) / t + 1. */
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
 * 2/√π ∫₀ˣ exp(−t²) dt, by two polynomials of Norbert Juffa, of which the second is of ln(1 − erf)
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

/** `x`, which is no less than 0, with the sign of `from`. */
@inline
function withSign(x: v128, from: v128): v128 {
  return v128.or(x, v128.and(from, constant(signBit)));
}
