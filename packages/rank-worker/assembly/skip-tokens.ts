// Skips tokens that are not among the best. Both functions return the start of the first group of eight floats, counting
// from `from`, of which one may be, or is NaN; or of the last few floats, if there is none.

import { constant, log2e } from "./vectors";

/** Skips floats that are not above the threshold. */
export function skipSmall(keys: usize, from: u32, count: u32, threshold: f32): u32 {
  const limit = f32x4.splat(threshold);
  const end = keys + (<usize>count << 2);
  let at = keys + (<usize>from << 2);
  for (; at + 32 <= end; at += 32) {
    const small = v128.and(f32x4.le(v128.load(at), limit), f32x4.le(v128.load(at, 16), limit));
    if (!i32x4.all_true(small)) break;
  }
  return <u32>((at - keys) >> 2);
}

/**
 * Skips logits that stay below `best` after division by the temperature and addition of noise: src/sampling/noise.ts.
 * All bounds have some tolerance for float32, in which this is computed.
 *
 * @param id the token of the first logit; the others follow
 * @param first of the noise, as is `second`
 * @param least a little below 1 / temperature
 * @param most a little above it
 * @param best a little below the largest sum so far
 */
export function skipUnlikely(
  logits: usize,
  from: u32,
  count: u32,
  id: u32,
  first: i32,
  second: i32,
  least: f32,
  most: f32,
  best: f32,
): u32 {
  const end = logits + (<usize>count << 2);
  let at = logits + (<usize>from << 2);
  let ids = i32x4.add(i32x4.splat(id + from), i32x4(0, 1, 2, 3));
  for (; at + 32 <= end; at += 32) {
    const one = hash(ids, first, second);
    const other = hash(i32x4.add(ids, i32x4.splat(4)), first, second);
    const unlikely = v128.and(
      isUnlikely(v128.load(at), one, least, most, best),
      isUnlikely(v128.load(at, 16), other, least, most, best),
    );
    if (!i32x4.all_true(unlikely)) break;
    ids = i32x4.add(ids, i32x4.splat(8));
  }
  return <u32>((at - logits) >> 2);
}

/**
 * Noise reaches a height if 1 − u ≤ e^−height, where u = (hash + ½) / 2³². The bits of a positive float, as an integer
 * divided by 2²³, are at most 127 above its binary logarithm. So if they are further above −height / ln 2, in 2⁻³² · x,
 * the noise is lower than that. NaN is never unlikely.
 */
@inline
function isUnlikely(logits: v128, hashed: v128, least: f32, most: f32, best: f32): v128 {
  const scaled = f32x4.max(f32x4.mul(logits, f32x4.splat(least)), f32x4.mul(logits, f32x4.splat(most)));
  const height = f32x4.sub(f32x4.splat(best), scaled);
  // 2³² · (1 − u) is half more than this.
  const above = f32x4.convert_i32x4_u(v128.not(hashed));
  const bits = f32x4.mul(f32x4.convert_i32x4_s(above), f32x4.splat(1.0 / 8388608.0));
  return f32x4.gt(f32x4.add(bits, f32x4.mul(height, constant(log2e))), f32x4.splat(127 + 32));
}

@inline
function hash(ids: v128, first: i32, second: i32): v128 {
  return mix(i32x4.add(mix(v128.xor(ids, i32x4.splat(first))), i32x4.splat(second)));
}

@inline
function mix(words: v128): v128 {
  let x = v128.xor(words, i32x4.shr_u(words, 16));
  x = i32x4.mul(x, i32x4.splat(0x7feb_352d));
  x = v128.xor(x, i32x4.shr_u(x, 15));
  x = i32x4.mul(x, i32x4.splat(0x846c_a68b));
  return v128.xor(x, i32x4.shr_u(x, 16));
}
