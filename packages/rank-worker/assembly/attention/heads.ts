// AssemblyScript, which has TypeScript's syntax and is compiled to WebAssembly by scripts/build.mjs. Moves heads
// between layouts, and rotates them. src/attention/heads.ts has the same in plain code.

import { madd, storePair } from "../vectors";

/** Copies `headBytes` of every head of every row; the other numbers are bytes from one row or head to the next. */
export function copyHeads(
  from: usize,
  fromRow: usize,
  fromHead: usize,
  to: usize,
  toRow: usize,
  toHead: usize,
  rows: u32,
  heads: u32,
  headBytes: usize,
): void {
  for (const end = from + <usize>rows * fromRow; from < end; from += fromRow, to += toRow) {
    let source = from;
    let target = to;
    for (let head: u32 = 0; head < heads; head++, source += fromHead, target += toHead) {
      // Calls of memory.copy cost more than so few bytes.
      let at: usize = 0;
      for (; at + 32 <= headBytes; at += 32) {
        storePair(target + at, v128.load(source + at), v128.load(source + at, 16));
      }
      for (; at < headBytes; at += 4) store<f32>(target + at, load<f32>(source + at));
    }
  }
}

/**
 * Rotates every head of every row by the rotary position embedding (https://arxiv.org/abs/2104.09864), in place.
 *
 * @param heads of `lanes` floats each, one after the other in a row, and nothing else
 * @param rotated lanes of a head, its first ones
 * @param cos `[rows, rotated / 2]`, as is `sin`
 */
export function rotateHeads(
  at: usize,
  rows: u32,
  heads: u32,
  lanes: u32,
  rotated: u32,
  interleaved: bool,
  cos: usize,
  sin: usize,
): void {
  const headBytes = <usize>lanes << 2;
  const halfBytes = <usize>rotated << 1;
  for (let row: u32 = 0; row < rows; row++, cos += halfBytes, sin += halfBytes) {
    for (let head: u32 = 0; head < heads; head++, at += headBytes) {
      if (interleaved) rotateNeighbours(at, halfBytes, cos, sin);
      else rotateHalves(at, halfBytes, cos, sin);
    }
  }
}

/** Lanes are rotated in pairs (i, i + half). */
@inline
function rotateHalves(head: usize, halfBytes: usize, cos: usize, sin: usize): void {
  let pair: usize = 0;
  for (; pair + 32 <= halfBytes; pair += 32) {
    const one = head + pair;
    const other = one + halfBytes;
    const a = v128.load(one);
    const b = v128.load(other);
    const c = v128.load(cos + pair);
    const s = v128.load(sin + pair);
    const nextA = v128.load(one, 16);
    const nextB = v128.load(other, 16);
    const nextC = v128.load(cos + pair, 16);
    const nextS = v128.load(sin + pair, 16);
    storePair(one, firstRotated(a, b, c, s), firstRotated(nextA, nextB, nextC, nextS));
    storePair(other, secondRotated(a, b, c, s), secondRotated(nextA, nextB, nextC, nextS));
  }
  for (; pair + 16 <= halfBytes; pair += 16) {
    const a = v128.load(head + pair);
    const b = v128.load(head + pair + halfBytes);
    const c = v128.load(cos + pair);
    const s = v128.load(sin + pair);
    v128.store(head + pair, firstRotated(a, b, c, s));
    v128.store(head + pair + halfBytes, secondRotated(a, b, c, s));
  }
  for (; pair < halfBytes; pair += 4) rotatePair(head + pair, head + pair + halfBytes, cos + pair, sin + pair);
}

@inline
function firstRotated(a: v128, b: v128, cos: v128, sin: v128): v128 {
  return madd(a, cos, f32x4.neg(f32x4.mul(b, sin)));
}

@inline
function secondRotated(a: v128, b: v128, cos: v128, sin: v128): v128 {
  return madd(b, cos, f32x4.mul(a, sin));
}

/** Lanes are rotated in pairs (2i, 2i + 1). */
@inline
function rotateNeighbours(head: usize, halfBytes: usize, cos: usize, sin: usize): void {
  for (let pair: usize = 0; pair < halfBytes; pair += 4) {
    const at = head + (pair << 1);
    rotatePair(at, at + 4, cos + pair, sin + pair);
  }
}

@inline
function rotatePair(one: usize, other: usize, cos: usize, sin: usize): void {
  const a = load<f32>(one);
  const b = load<f32>(other);
  const c = load<f32>(cos);
  const s = load<f32>(sin);
  store<f32>(one, a * c - b * s);
  store<f32>(other, b * c + a * s);
}
