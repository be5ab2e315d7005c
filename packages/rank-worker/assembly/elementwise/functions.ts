// Functions of vectors of four floats, accurate to 1.5e-7 of their values (src/elementwise/instruction-list.test.ts).
// NaN stays NaN.

import { madd, roundingAddend } from "../vectors";

/** eˣ for all x. If x is known to be at most 0, `exponential` in vectors.ts is cheaper. */
@inline
export function exp(x: v128): v128 {
  // Beyond these it is 0 and ∞. The smaller and the larger of two, of which the first stays where it is NaN.
  const bounded = f32x4.pmax(f32x4.pmin(x, f32x4.splat(89)), f32x4.splat(-104));
  const shifted = shiftedExponent(bounded);
  // float32 has no 2ⁿ at either end, but both halves of it.
  const n = i32x4.sub(shifted, f32x4.splat(roundingAddend));
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
  return madd(x, f32x4.splat(1.44269504088896341), f32x4.splat(roundingAddend));
}

/**
 * eʳ of r = x − n · ln 2, |r| ≤ ½ ln 2, so that eˣ is 2ⁿ · eʳ; by the polynomial of Cephes
 * (https://www.netlib.org/cephes, expf).
 */
@inline
function expOfRest(x: v128, shifted: v128): v128 {
  const n = f32x4.sub(shifted, f32x4.splat(roundingAddend));
  // ln 2 in two parts: n times the first is exact.
  let r = madd(n, f32x4.splat(-0.693359375), x);
  r = madd(n, f32x4.splat(2.12194440e-4), r);
  let p = f32x4.splat(1.9875691500e-4);
  p = madd(p, r, f32x4.splat(1.3981999507e-3));
  p = madd(p, r, f32x4.splat(8.3334519073e-3));
  p = madd(p, r, f32x4.splat(4.1665795894e-2));
  p = madd(p, r, f32x4.splat(1.6666665459e-1));
  p = madd(p, r, f32x4.splat(5.0000001201e-1));
  return f32x4.add(madd(p, f32x4.mul(r, r), r), f32x4.splat(1));
}

/** 2ⁿ, of a whole number, or of what has it in its lowest bits. */
@inline
function powerOfTwo(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, i32x4.splat(127)), 23);
}

/**
 * 1 / (1 + e⁻ˣ). Below −87 it is 0: all that float32 has there are subnormal numbers, with which processors calculate
 * slowly.
 */
@inline
export function sigmoid(x: v128): v128 {
  const one = f32x4.splat(1);
  const bounded = f32x4.pmax(f32x4.pmin(x, f32x4.splat(87)), f32x4.splat(-87));
  const share = f32x4.div(one, f32x4.add(one, expWithin(f32x4.neg(bounded))));
  return v128.andnot(share, f32x4.lt(x, f32x4.splat(-87)));
}

/** Of |x| < 0.625 by the polynomial of Cephes (tanhf), elsewhere 1 − 2 / (1 + e²ˣ). */
@inline
export function tanh(x: v128): v128 {
  const t = f32x4.abs(x);
  const square = f32x4.mul(t, t);
  let p = f32x4.splat(-5.70498872745e-3);
  p = madd(p, square, f32x4.splat(2.06390887954e-2));
  p = madd(p, square, f32x4.splat(-5.37397155531e-2));
  p = madd(p, square, f32x4.splat(1.33314422036e-1));
  p = madd(p, square, f32x4.splat(-3.33332819422e-1));
  const near = madd(f32x4.mul(p, square), t, t);
  const one = f32x4.splat(1);
  // From 10 on it is 1.
  const double = f32x4.pmin(f32x4.add(t, t), f32x4.splat(20));
  const share = f32x4.div(f32x4.splat(2), f32x4.add(one, expWithin(double)));
  const isNear = f32x4.lt(t, f32x4.splat(0.625));
  return withSign(v128.bitselect(near, f32x4.sub(one, share), isNear), x);
}

/**
 * 2/√π ∫₀ˣ exp(−t²) dt, by two polynomials of Norbert Juffa, of which the second is of ln(1 − erf)
 * (https://stackoverflow.com/questions/35148198).
 */
@inline
export function erf(x: v128): v128 {
  // From 4 on it is 1.
  const t = f32x4.pmin(f32x4.abs(x), f32x4.splat(4));
  const square = f32x4.mul(t, t);
  let p = f32x4.splat(-5.96761703e-4);
  p = madd(p, square, f32x4.splat(4.99119423e-3));
  p = madd(p, square, f32x4.splat(-2.67681349e-2));
  p = madd(p, square, f32x4.splat(1.12819925e-1));
  p = madd(p, square, f32x4.splat(-3.76125336e-1));
  p = madd(p, square, f32x4.splat(1.28379166e-1));
  const near = madd(p, t, t);
  let q = madd(f32x4.splat(-1.7285347e-5), t, f32x4.splat(3.83197126e-4));
  q = madd(q, square, madd(f32x4.splat(-3.88396438e-3), t, f32x4.splat(2.42546219e-2)));
  q = madd(q, t, f32x4.splat(-1.06777877e-1));
  q = madd(q, t, f32x4.splat(-6.34846687e-1));
  q = madd(q, t, f32x4.splat(-1.28717512e-1));
  q = f32x4.sub(f32x4.mul(q, t), t);
  const far = f32x4.sub(f32x4.splat(1), expWithin(q));
  const isNear = f32x4.lt(t, f32x4.splat(0.927734375));
  return withSign(v128.bitselect(near, far, isNear), x);
}

/** `x`, which is no less than 0, with the sign of `from`. */
@inline
function withSign(x: v128, from: v128): v128 {
  return v128.or(x, v128.and(from, i32x4.splat(0x80000000)));
}
