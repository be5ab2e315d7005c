/** Elements that share a scale. */
const block: usize = 32;
/** Of a block of float32. */
const blockBytes: usize = block << 2;
/** How often a block's scale is fitted to its rounded numbers: src/weights/kernels/plain-kernels.ts explains why. */
const fits: i32 = 2;

/** The smallest normal float32. */
const leastNormal: f32 = 1.1754943508222875e-38;

/** A partial block, padded with zeros. */
const partial = memory.data(128, 16);

/** float32 `[rows, columns]` at `from` to 4-bit blocks, 16 bytes each, and a float32 scale for each. */
export function quantize4(values: usize, scales: usize, from: usize, rows: usize, columns: usize): void {
  quantize(4, values, scales, from, rows, columns);
}

/** Like {@link quantize4}, to 8-bit blocks of 32 bytes. */
export function quantize8(values: usize, scales: usize, from: usize, rows: usize, columns: usize): void {
  quantize(8, values, scales, from, rows, columns);
}

@inline
function quantize(
  bits: usize,
  values: usize,
  scales: usize,
  from: usize,
  rows: usize,
  columns: usize,
): void {
  const levels: f32 = bits == 4 ? 8 : 128;
  const blocks = (columns + block - 1) / block;
  const rest = (columns & (block - 1)) << 2;
  const packedBytes = bits << 2;
  for (let row: usize = 0; row < rows; row++) {
    if (rest > 0) {
      memory.copy(partial, from + (columns << 2) - rest, rest);
      memory.fill(partial + rest, 0, blockBytes - rest);
    }
    const last = rest > 0 ? blocks - 1 : blocks;
    // Step by step along a row, not block by block: the steps of a block depend on each other, while blocks do not.
    for (let i: usize = 0; i < blocks; i++) {
      const extreme = extremeOf(i == last ? partial : from + i * blockBytes);
      store<f32>(scales + (i << 2), extreme == 0 ? 0 : extreme / -levels);
    }
    for (let fit = 0; fit < fits; fit++) {
      for (let i: usize = 0; i < blocks; i++) {
        const scale = scales + (i << 2);
        store<f32>(scale, fittedScale(i == last ? partial : from + i * blockBytes, load<f32>(scale), levels));
      }
    }
    for (let i: usize = 0; i < blocks; i++) {
      const address = i == last ? partial : from + i * blockBytes;
      const scale = roundedToBfloat16(load<f32>(scales + (i << 2)));
      store<f32>(scales + (i << 2), scale);
      pack(bits, values + i * packedBytes, address, scale, levels);
    }
    from += columns << 2;
    values += blocks * packedBytes;
    scales += blocks << 2;
  }
}

/** Writes a block's numbers. */
@inline
function pack(bits: usize, values: usize, from: usize, scale: f32, levels: f32): void {
  const factor = f32x4.splat(inverse(scale));
  for (let half: usize = 0; half < blockBytes; half += blockBytes >> 1) {
    const first = narrowEight(from + half, factor, levels);
    const second = narrowEight(from + half + 32, factor, levels);
    if (bits == 8) {
      v128.store(values + (half >> 2), i8x16.narrow_i16x8_u(first, second));
    } else {
      v128.store64_lane(values + (half >> 3), packNibbles(first, second), 0);
    }
  }
}

/** The element farthest from 0; of two equally far, the positive one. */
@inline
function extremeOf(from: usize): f32 {
  let least = v128.load(from);
  let most = least;
  for (let at: usize = 16; at < blockBytes; at += 16) {
    const x = v128.load(from + at);
    least = f32x4.pmin(least, x);
    most = f32x4.pmax(most, x);
  }
  // Combines halves, twice: the first lane then has the result.
  least = f32x4.pmin(least, v128.shuffle<i32>(least, least, 2, 3, 0, 1));
  least = f32x4.pmin(least, v128.shuffle<i32>(least, least, 1, 0, 3, 2));
  most = f32x4.pmax(most, v128.shuffle<i32>(most, most, 2, 3, 0, 1));
  most = f32x4.pmax(most, v128.shuffle<i32>(most, most, 1, 0, 3, 2));
  const low = f32x4.extract_lane(least, 0);
  const high = f32x4.extract_lane(most, 0);
  return high >= -low ? high : low;
}

/** The best scale, by least squares, for the numbers that `scale` gives: Σ x·n / Σ n². NaN if any x is NaN. */
@inline
function fittedScale(from: usize, scale: f32, levels: f32): f32 {
  const factor = f32x4.splat(inverse(scale));
  let products = f32x4.splat(0);
  let squares = f32x4.splat(0);
  for (let at: usize = 0; at < blockBytes; at += 16) {
    const x = v128.load(from + at);
    const n = rounded(x, factor, levels);
    products = f32x4.add(products, f32x4.mul(x, n));
    squares = f32x4.add(squares, f32x4.mul(n, n));
  }
  const divisor = sumOfLanes(squares);
  return divisor === 0 ? scale : sumOfLanes(products) / divisor;
}

/** The nearest number of 8 bits, halves to the even one; 0 for subnormals. NaN stays what it is. */
@inline
function roundedToBfloat16(scale: f32): f32 {
  if (scale !== scale) return scale;
  if (abs(scale) < leastNormal) return 0;
  const bits = reinterpret<u32>(scale);
  return reinterpret<f32>((bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000);
}

@inline
function sumOfLanes(x: v128): f32 {
  const left = f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1);
  return left + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3));
}

/** 0 for 0, and for subnormals, whose inverse overflows: such a block is all zeros. */
@inline
function inverse(scale: f32): f32 {
  return abs(scale) < leastNormal ? 0 : 1 / scale;
}

@inline
function rounded(x: v128, factor: v128, levels: f32): v128 {
  const n = f32x4.nearest(f32x4.mul(x, factor));
  return f32x4.pmin(f32x4.pmax(n, f32x4.splat(-levels)), f32x4.splat(levels - 1));
}

/** Eight numbers, made positive, as 16-bit integers. */
@inline
function narrowEight(from: usize, factor: v128, levels: f32): v128 {
  return i16x8.narrow_i32x4_s(
    positive(rounded(v128.load(from), factor, levels), levels),
    positive(rounded(v128.load(from, 16), factor, levels), levels),
  );
}

/** n + levels as integers: the lowest bits of the fraction of 2²³ + levels + n. */
@inline
function positive(n: v128, levels: f32): v128 {
  return v128.and(f32x4.add(n, f32x4.splat(8388608 + levels)), i32x4.splat(0xff));
}

/** Sixteen numbers below 16 in eight bytes, each even one in the lower half of a byte. */
@inline
function packNibbles(first: v128, second: v128): v128 {
  const bytes = i8x16.narrow_i16x8_u(first, second);
  const pairs = v128.and(v128.or(bytes, i16x8.shr_u(bytes, 4)), i16x8.splat(0xff));
  return i8x16.narrow_i16x8_u(pairs, pairs);
}
