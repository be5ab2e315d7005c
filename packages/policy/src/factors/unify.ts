import { isStatic, quotient, sameSize } from "../shapes/size-pair.js";
import {
  type Dim,
  type Factor,
  freshDim,
  isLeaf,
  keepWhole,
  leaf,
  leavesOf,
  partsOf,
  resolve,
  sizeOf,
  sumDim,
  type WholeReason,
} from "./factor.js";

/**
 * Makes two dimensions of equal size the same, dividing factors where the other side requires it.
 *
 * Equal factors are stripped from both ends. Then the two minor ends, or failing that the two major ends, are made
 * equal by dividing the larger one, or, if neither divides the other, by dividing both by what they have in common. If
 * something cannot be matched (`[i, j]` read as `[j, i]`, as in a relative shift), only that remainder is kept whole:
 * whatever matched stays matched.
 */
export function unify(a: Dim, b: Dim, reason: WholeReason): void {
  for (;;) {
    const left = resolve(a);
    const right = resolve(b);
    strip(left, right);
    if (left.length === 0 && right.length === 0) return;
    const matched =
      bindWhole(left, right) ||
      bindWhole(right, left) ||
      matchMinor(left, right, reason) ||
      matchMajor(left, right, reason) ||
      shareMinor(left, right) ||
      shareMajor(left, right);
    if (!matched) {
      keepWhole(left, reason);
      keepWhole(right, reason);
      return;
    }
    a = left;
    b = right;
  }
}

/** Drops the factors that the two products share at either end. */
function strip(left: Factor[], right: Factor[]): void {
  while (left.length > 0 && right.length > 0 && left.at(-1) === right.at(-1)) {
    left.pop();
    right.pop();
  }
  let same = 0;
  while (same < left.length && same < right.length && left[same] === right[same]) same++;
  left.splice(0, same);
  right.splice(0, same);
}

/** A single leaf against a whole product: the leaf is that product. */
function bindWhole(one: Factor[], other: Factor[]): boolean {
  const only = one[0];
  if (one.length !== 1 || other.length === 0 || only === undefined || !isLeaf(only)) return false;
  return bind(only, other);
}

/** Binds a leaf to a product. Returns false if the leaf would contain itself. */
function bind(target: Factor, product: Dim): boolean {
  if (leavesOf(product).includes(target)) return false;
  if (target.whole !== undefined) keepWhole(product, target.whole);
  const only = product[0];
  target.binding =
    product.length === 1 && only !== undefined
      ? { kind: "same", to: only }
      : { kind: "product", factors: [...product] };
  return true;
}

function matchMinor(left: Factor[], right: Factor[], reason: WholeReason): boolean {
  const x = left.at(-1);
  const y = right.at(-1);
  if (x === undefined || y === undefined) return false;
  if (sameSize(x.size, y.size)) return merge(x, y, reason);
  return divideMinor(x, y, reason) || divideMinor(y, x, reason);
}

/** Makes `small` the minor factor of `big`. */
function divideMinor(big: Factor, small: Factor, reason: WholeReason): boolean {
  const rest = quotient(big.size, small.size);
  if (rest === undefined) return false;
  if (isLeaf(big)) return bind(big, [...freshDim(rest), small]);
  return takeOutMinor(big, small, reason);
}

/** `(a·s + b·s)` against a minor `s`: the sum becomes `(a + b)·s`, if every segment ends on such a factor. */
function takeOutMinor(sum: Factor, small: Factor, reason: WholeReason): boolean {
  const parts = partsOf(sum);
  if (parts === undefined) return false;
  const rests: Dim[] = [];
  for (const part of parts) {
    const factors = resolve(part);
    const rest = quotient(sizeOf(factors), small.size);
    const last = factors.at(-1);
    if (rest === undefined || last === undefined) return false;
    if (!sameSize(last.size, small.size) && !isLeaf(last)) return false;
    if (quotient(last.size, small.size) === undefined) return false;
  }
  for (const part of parts) {
    const factors = resolve(part);
    const last = factors.at(-1)!;
    if (last === small) {
      rests.push(factors.slice(0, -1));
      continue;
    }
    const rest = freshDim(quotient(last.size, small.size)!);
    unify([last], [...rest, small], reason);
    rests.push([...factors.slice(0, -1), ...rest]);
  }
  sum.binding = { kind: "product", factors: [...sumDim(rests), small] };
  return true;
}

function matchMajor(left: Factor[], right: Factor[], reason: WholeReason): boolean {
  const x = left[0];
  const y = right[0];
  if (x === undefined || y === undefined) return false;
  if (sameSize(x.size, y.size)) return merge(x, y, reason);
  return divideMajor(x, y) || divideMajor(y, x);
}

/** Makes `small` the major factor of `big`. */
function divideMajor(big: Factor, small: Factor): boolean {
  const rest = quotient(big.size, small.size);
  if (rest === undefined) return false;
  return isLeaf(big) && bind(big, [small, ...freshDim(rest)]);
}

/** Divides both minor ends by what their sizes have in common: 80 and 32 become 5·16 and 2·16. */
function shareMinor(left: readonly Factor[], right: readonly Factor[]): boolean {
  const [x, y] = [left.at(-1), right.at(-1)];
  const common = commonFactor(x, y);
  if (common === undefined) return false;
  return [x!, y!].every((one) => bind(one, [...freshDim(quotient(one.size, common.size)!), common]));
}

/** Like {@link shareMinor}, for the major ends. */
function shareMajor(left: readonly Factor[], right: readonly Factor[]): boolean {
  const [x, y] = [left[0], right[0]];
  const common = commonFactor(x, y);
  if (common === undefined) return false;
  return [x!, y!].every((one) => bind(one, [common, ...freshDim(quotient(one.size, common.size)!)]));
}

/** A new factor whose size is the greatest common divisor of two leaves, if that is above 1 and known. */
function commonFactor(x: Factor | undefined, y: Factor | undefined): Factor | undefined {
  if (x === undefined || y === undefined || !isLeaf(x) || !isLeaf(y)) return undefined;
  if (!isStatic(x.size) || !isStatic(y.size)) return undefined;
  let [size, rest] = [x.size[0], y.size[0]];
  while (rest > 0) [size, rest] = [rest, size % rest];
  return size > 1 ? leaf([size, size]) : undefined;
}

/** Merges two factors of equal size. */
function merge(x: Factor, y: Factor, reason: WholeReason): boolean {
  if (isLeaf(x)) return bind(x, [y]);
  if (isLeaf(y)) return bind(y, [x]);
  return mergeSums(x, y, reason);
}

/** Merges two sums of equal size: cuts both wherever either is cut, then matches them segment by segment. */
function mergeSums(x: Factor, y: Factor, reason: WholeReason): boolean {
  const left = partsOf(x);
  const right = partsOf(y);
  if (left === undefined || right === undefined) return false;
  const pairs = alignSegments(left, right);
  if (pairs === undefined) return false;
  for (const [one, other] of pairs) unify(one, other, reason);
  y.binding = { kind: "same", to: x };
  return true;
}

/** Runs of segments of either side that start and end together, each run as one dimension. */
function alignSegments(left: readonly Dim[], right: readonly Dim[]): [Dim, Dim][] | undefined {
  const pairs: [Dim, Dim][] = [];
  let i = 0;
  let j = 0;
  while (i < left.length && j < right.length) {
    const runLeft = [left[i++]!];
    const runRight = [right[j++]!];
    let ended = compareSizes(runLeft, runRight);
    while (ended !== 0) {
      const next = ended === "left shorter" ? left[i++] : ended === "right shorter" ? right[j++] : undefined;
      if (next === undefined) return undefined;
      (ended === "left shorter" ? runLeft : runRight).push(next);
      ended = compareSizes(runLeft, runRight);
    }
    // Both runs have several segments: the cuts interleave, and no common refinement is known.
    if (runLeft.length > 1 && runRight.length > 1) return undefined;
    pairs.push([sumDim(runLeft), sumDim(runRight)]);
  }
  return i === left.length && j === right.length ? pairs : undefined;
}

function compareSizes(
  left: readonly Dim[],
  right: readonly Dim[],
): 0 | "left shorter" | "right shorter" | "crossed" {
  const total = (dims: readonly Dim[], k: 0 | 1): number =>
    dims.reduce((sum, dim) => sum + sizeOf(dim)[k], 0);
  const first = total(left, 0) - total(right, 0);
  const second = total(left, 1) - total(right, 1);
  if (first === 0 && second === 0) return 0;
  if (first <= 0 && second <= 0) return "left shorter";
  if (first >= 0 && second >= 0) return "right shorter";
  return "crossed";
}
