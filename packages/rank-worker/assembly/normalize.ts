// AssemblyScript, which has TypeScript's syntax and is compiled to WebAssembly by scripts/build.mjs. Normalizes rows by
// their root mean square (https://arxiv.org/abs/1910.07467), or first subtracts their mean, too
// (https://arxiv.org/abs/1607.06450). policy/src/program/program.ts (NormalizeStep) defines what is computed; tests
// compare it with ONNX Runtime's operators. src/normalization/plain-normalize.ts adds in the same order and gives
// the same bits; a test checks this.

import { storePair, sumLanes } from "./vectors";

/**
 * Rows of `width` floats, from `x` to `out`, which may be the same. All addresses are in bytes.
 *
 * @param bias 0 for none
 */
export function normalize(
  x: usize,
  out: usize,
  rows: u32,
  width: u32,
  scale: usize,
  bias: usize,
  epsilon: f32,
  centered: bool,
): void {
  const rowBytes = <usize>width << 2;
  for (let row: usize = 0; row < rows; row++) {
    const from = x + row * rowBytes;
    const mean: f32 = centered ? sum(from, rowBytes) / <f32>width : 0;
    const variance = sumOfSquares(from, rowBytes, mean) / <f32>width;
    writeRow(out + row * rowBytes, from, rowBytes, mean, 1 / sqrt(variance + epsilon), scale, bias);
  }
}

function sum(from: usize, bytes: usize): f32 {
  let a = f32x4.splat(0);
  let b = f32x4.splat(0);
  let at: usize = 0;
  for (; at + 32 <= bytes; at += 32) {
    a = f32x4.add(a, v128.load(from + at));
    b = f32x4.add(b, v128.load(from + at, 16));
  }
  let total = sumLanes(f32x4.add(a, b));
  for (; at < bytes; at += 4) total += load<f32>(from + at);
  return total;
}

function sumOfSquares(from: usize, bytes: usize, mean: f32): f32 {
  const m = f32x4.splat(mean);
  let a = f32x4.splat(0);
  let b = f32x4.splat(0);
  let at: usize = 0;
  for (; at + 32 <= bytes; at += 32) {
    const x = f32x4.sub(v128.load(from + at), m);
    const y = f32x4.sub(v128.load(from + at, 16), m);
    a = f32x4.add(a, f32x4.mul(x, x));
    b = f32x4.add(b, f32x4.mul(y, y));
  }
  let total = sumLanes(f32x4.add(a, b));
  for (; at < bytes; at += 4) {
    const x = load<f32>(from + at) - mean;
    total += x * x;
  }
  return total;
}

/** `out = scale · (from − mean) · factor + bias`. */
function writeRow(
  out: usize,
  from: usize,
  bytes: usize,
  mean: f32,
  factor: f32,
  scale: usize,
  bias: usize,
): void {
  const whole = bytes & ~31;
  if (bias === 0) writePairs(false, out, from, whole, mean, factor, scale, bias);
  else writePairs(true, out, from, whole, mean, factor, scale, bias);
  for (let at = whole; at < bytes; at += 4) {
    const scaled = (load<f32>(from + at) - mean) * factor * load<f32>(scale + at);
    store<f32>(out + at, bias === 0 ? scaled : scaled + load<f32>(bias + at));
  }
}

/** The pairs of vectors of a row. There is a loop with bias and one without, since V8 pairs nothing across a branch. */
@inline
function writePairs(
  isBiased: bool,
  out: usize,
  from: usize,
  bytes: usize,
  mean: f32,
  factor: f32,
  scale: usize,
  bias: usize,
): void {
  const m = f32x4.splat(mean);
  const f = f32x4.splat(factor);
  for (let at: usize = 0; at < bytes; at += 32) {
    const first = f32x4.mul(f32x4.mul(f32x4.sub(v128.load(from + at), m), f), v128.load(scale + at));
    const second = f32x4.mul(f32x4.mul(f32x4.sub(v128.load(from + at, 16), m), f), v128.load(scale + at, 16));
    storePair(
      out + at,
      isBiased ? f32x4.add(first, v128.load(bias + at)) : first,
      isBiased ? f32x4.add(second, v128.load(bias + at, 16)) : second,
    );
  }
}
