import type { SmallData } from "./small-value.js";

/**
 * Computes `out[at]` to `out[end]` (exclusive) from the operands' elements starting at `i`, `j` and `k`, with strides
 * `di`, `dj` and `dk`. Operators use as many of the operands as they need.
 */
export type ElementLoop = (
  out: SmallData,
  at: number,
  end: number,
  x: SmallData,
  i: number,
  di: number,
  y: SmallData,
  j: number,
  dj: number,
  z: SmallData,
  k: number,
  dk: number,
) => void;

/**
 * Each operator has a loop of its own: in a loop that calls a function for every element, the engine knows neither the
 * function nor the types, and takes thirty times as long.
 */
export const loops = {
  add(out, at, end, x, i, di, y, j, dj) {
    for (; at < end; at++, i += di, j += dj) out[at] = x[i]! + y[j]!;
  },
  subtract(out, at, end, x, i, di, y, j, dj) {
    for (; at < end; at++, i += di, j += dj) out[at] = x[i]! - y[j]!;
  },
  multiply(out, at, end, x, i, di, y, j, dj) {
    for (; at < end; at++, i += di, j += dj) out[at] = x[i]! * y[j]!;
  },
  negate(out, at, end, x, i, di) {
    for (; at < end; at++, i += di) out[at] = -x[i]!;
  },
  cos(out, at, end, x, i, di) {
    for (; at < end; at++, i += di) out[at] = Math.cos(x[i]!);
  },
  sin(out, at, end, x, i, di) {
    for (; at < end; at++, i += di) out[at] = Math.sin(x[i]!);
  },
  log(out, at, end, x, i, di) {
    for (; at < end; at++, i += di) out[at] = Math.log(x[i]!);
  },
  equal(out, at, end, x, i, di, y, j, dj) {
    for (; at < end; at++, i += di, j += dj) out[at] = x[i] === y[j] ? 1 : 0;
  },
  less(out, at, end, x, i, di, y, j, dj) {
    for (; at < end; at++, i += di, j += dj) out[at] = x[i]! < y[j]! ? 1 : 0;
  },
  lessOrEqual(out, at, end, x, i, di, y, j, dj) {
    for (; at < end; at++, i += di, j += dj) out[at] = x[i]! <= y[j]! ? 1 : 0;
  },
  and(out, at, end, x, i, di, y, j, dj) {
    for (; at < end; at++, i += di, j += dj) out[at] = x[i]! & y[j]!;
  },
  or(out, at, end, x, i, di, y, j, dj) {
    for (; at < end; at++, i += di, j += dj) out[at] = x[i]! | y[j]!;
  },
  not(out, at, end, x, i, di) {
    for (; at < end; at++, i += di) out[at] = x[i] === 0 ? 1 : 0;
  },
  isNotZero(out, at, end, x, i, di) {
    for (; at < end; at++, i += di) out[at] = x[i] === 0 ? 0 : 1;
  },
  truncate(out, at, end, x, i, di) {
    for (; at < end; at++, i += di) out[at] = Math.trunc(x[i]!);
  },
  /** Integers have no −0, but numbers do. */
  withoutSignOfZero(out, at, end, x, i, di) {
    for (; at < end; at++, i += di) out[at] = x[i]! + 0;
  },
  copy(out, at, end, x, i, di) {
    for (; at < end; at++, i += di) out[at] = x[i]!;
  },
  choose(out, at, end, x, i, di, y, j, dj, z, k, dk) {
    for (; at < end; at++, i += di, j += dj, k += dk) out[at] = x[i] === 0 ? z[k]! : y[j]!;
  },
} satisfies Readonly<Record<string, ElementLoop>>;
