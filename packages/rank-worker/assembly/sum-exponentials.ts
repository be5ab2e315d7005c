// The sum of a softmax's terms, in float64: what shares tokens have of the whole probability depends on all of them.

// Constants in memory, since V8 makes constant vectors anew in each iteration of a loop, by three instructions.

/** 1.5 · 2⁵². A number that is added to it is rounded to an integer, which is in the lowest bits of the sum. */
const rounding = memory.data<f64>([6755399441055744]);
const log2e = memory.data<f64>([1.4426950408889634]);
const ln2 = memory.data<f64>([0.6931471805599453]);
/** e^−700 is not zero, but is lost in a sum with 1. */
const least = memory.data<f64>([-700]);
/** 1 / n!, from n = 10 to n = 0. */
const coefficients = memory.data<f64>([
  1.0 / 3628800.0,
  1.0 / 362880.0,
  1.0 / 40320.0,
  1.0 / 5040.0,
  1.0 / 720.0,
  1.0 / 120.0,
  1.0 / 24.0,
  1.0 / 6.0,
  0.5,
  1,
  1,
]);

/** The largest of some floats, which are not NaN; −∞ if there are none. */
export function largest(values: usize, count: u32): f32 {
  const end = values + (<usize>count << 2);
  let first = f32x4.splat(-Infinity);
  let second = first;
  let at = values;
  for (; at + 32 <= end; at += 32) {
    first = f32x4.pmax(first, v128.load(at));
    second = f32x4.pmax(second, v128.load(at, 16));
  }
  const most = f32x4.pmax(first, second);
  let found = max(
    max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
    max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
  );
  for (; at < end; at += 4) found = max(found, load<f32>(at));
  return found;
}

/** Σ exp((x − most) · factor) of floats x that are at most `most`; an x of −∞ adds nothing. */
export function sumExponentials(values: usize, count: u32, most: f64, factor: f64): f64 {
  const end = values + (<usize>count << 2);
  let first = f64x2.splat(0);
  let second = first;
  let at = values;
  for (; at + 16 <= end; at += 16) {
    first = f64x2.add(first, exponentials(v128.load_zero<u64>(at), most, factor));
    second = f64x2.add(second, exponentials(v128.load_zero<u64>(at + 8), most, factor));
  }
  const both = f64x2.add(first, second);
  let sum = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
  for (; at < end; at += 4) sum += f64x2.extract_lane(exponentials(v128.load_zero<u32>(at), most, factor), 0);
  return sum;
}

/**
 * Of the first two floats. e^y = 2ⁿ · e^r, where n is the integer nearest to y / ln 2, and e^r is its Taylor polynomial
 * of degree 10: |r| ≤ ln 2 / 2, so the first term left out is below 3·10⁻¹³.
 */
@inline
function exponentials(floats: v128, most: f64, factor: f64): v128 {
  const difference = f64x2.sub(f64x2.promote_low_f32x4(floats), f64x2.splat(most));
  const y = f64x2.pmax(v128.load64_splat(least), f64x2.mul(difference, f64x2.splat(factor)));
  const shifted = f64x2.add(f64x2.mul(y, v128.load64_splat(log2e)), v128.load64_splat(rounding));
  const n = f64x2.sub(shifted, v128.load64_splat(rounding));
  const r = f64x2.sub(y, f64x2.mul(n, v128.load64_splat(ln2)));
  let power = v128.load64_splat(coefficients);
  power = next(power, r, 1);
  power = next(power, r, 2);
  power = next(power, r, 3);
  power = next(power, r, 4);
  power = next(power, r, 5);
  power = next(power, r, 6);
  power = next(power, r, 7);
  power = next(power, r, 8);
  power = next(power, r, 9);
  power = next(power, r, 10);
  // Multiplication by 2ⁿ adds n to the exponent.
  return i64x2.add(power, i64x2.shl(shifted, 52));
}

@inline
function next(power: v128, r: v128, index: usize): v128 {
  const addend = v128.load64_splat(coefficients + (index << 3));
  if (ASC_FEATURE_RELAXED_SIMD) return f64x2.relaxed_madd(power, r, addend);
  return f64x2.add(f64x2.mul(power, r), addend);
}
