import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Dim, describeDim, freshDim, keepWhole, leaf, leavesOf, resolve, sumDim } from "./factor.js";
import { localIntervals, localSize } from "./shard.js";
import { unify } from "./unify.js";

const reason = { operator: "Test", why: "of this test" };
const dim = (size: number): Dim => freshDim([size, size]);
const dims = (...sizes: number[]): Dim[] => sizes.map(dim);

describe("two products of equal size become the same factors:", () => {
  it("divides a fused dimension by the dimensions it is reshaped to", () => {
    const fused = dim(768);
    unify(fused, dims(12, 64).flat(), reason);
    expect(describeDim(fused)).toBe("12·64");
  });

  it("divides both sides if their boundaries interleave", () => {
    const [a, b] = [dims(4, 6), dims(2, 12)];
    unify(a.flat(), b.flat(), reason);
    expect(a.map(describeDim)).toEqual(["2·2", "6"]);
    expect(b.map(describeDim)).toEqual(["2", "2·6"]);
  });

  it("divides both by their common factor if neither divides the other", () => {
    const [heads, lanes] = [dim(8), dim(80)];
    const [blocks, elements] = [dim(20), dim(32)];
    unify([...heads, ...lanes], [...blocks, ...elements], reason);
    expect([heads, lanes, blocks, elements].map(describeDim)).toEqual(["4·2", "5·16", "4·5", "2·16"]);
    // Blocks end where pairs of heads do, and nowhere else.
    expect(leavesOf(heads).map(({ whole }) => whole)).toEqual([undefined, reason]);
    expect(leavesOf(heads)[0]).toBe(leavesOf(blocks)[0]);
  });

  it.each([
    ["minor", [3, 10], [5, 6]],
    ["major", [10, 3], [6, 5]],
  ])("keeps a common factor at the %s ends shardable", (_, left, right) => {
    const [a, b] = [dims(...left).flat(), dims(...right).flat()];
    unify(a, b, reason);
    for (const side of [a, b])
      expect(leavesOf(side).map(({ size, whole }) => [size[0], whole])).toContainEqual([2, undefined]);
  });

  it("joins a dynamic size with a static one, and separates them again", () => {
    const sequence: Dim = freshDim([11, 17]);
    const group = dim(2);
    const joined: Dim = freshDim([22, 34]);
    unify([...group, ...sequence], joined, reason);
    expect(resolve(joined)).toEqual([...resolve(group), ...resolve(sequence)]);
  });

  it("ignores size 1", () => {
    expect(dim(1)).toEqual([]);
    const a = dims(1, 8, 1, 4);
    const b = dims(8, 4);
    unify(a.flat(), b.flat(), reason);
    expect(a[1]).not.toEqual([]);
    expect(leavesOf(a.flat())).toEqual(leavesOf(b.flat()));
  });

  it("keeps only the remainder whole if sizes do not divide alike", () => {
    const a = dims(3, 5, 7);
    const b = dims(5, 3, 7);
    unify(a.flat(), b.flat(), reason);
    expect(leavesOf(a[2]!)[0]).toBe(leavesOf(b[2]!)[0]);
    expect(leavesOf(a[2]!)[0]!.whole).toBeUndefined();
    expect(leavesOf(a[0]!)[0]!.whole).toEqual(reason);
    expect(leavesOf(b[1]!)[0]!.whole).toEqual(reason);
  });

  it('passes "whole" on to the factors that a factor is divided into', () => {
    const fused = dim(32);
    keepWhole(fused, reason);
    const parts = dims(4, 8);
    unify(fused, parts.flat(), reason);
    expect(leavesOf(parts.flat()).map((factor) => factor.whole)).toEqual([reason, reason]);
  });
});

describe("sums of segments", () => {
  it("finds the heads in each third of [q|k|v]", () => {
    const fused = dim(3 * 8 * 16);
    const thirds = dims(128, 128, 128);
    unify(fused, sumDim(thirds), reason);
    const heads = leaf([8, 8]);
    for (const third of thirds) unify(third, [heads, ...dim(16)], reason);
    expect(describeDim(fused)).toBe("(8·16+8·16+8·16)");
    // Rank 1 of 2 has the upper half of the heads in each third.
    expect(localIntervals(fused, new Map([[heads, [4, 8]]]))).toEqual([
      [64, 128],
      [192, 256],
      [320, 384],
    ]);
  });

  it("nests sums in products: one key and one value next to each group of queries", () => {
    const fused = dim(4 * (2 + 1 + 1) * 16);
    const split = dims(4, 4, 16);
    unify(fused, split.flat(), reason);
    unify(split[1]!, sumDim([dim(2), [], []]), reason);
    expect(describeDim(fused)).toBe("4·(2+1+1)·16");
    const [keys] = resolve(split[0]!);
    expect(localIntervals(fused, new Map([[keys!, [1, 3]]]))).toEqual([[64, 192]]);
  });

  it("takes a common minor factor out of a sum", () => {
    const parts = dims(64, 32, 32);
    const whole = sumDim(parts);
    unify(whole, dims(8, 16).flat(), reason);
    expect(describeDim(whole)).toBe("(4+2+2)·16");
  });

  it("takes the common factors of n equal segments out of their sum", () => {
    const parts = dims(10, 10, 10);
    const whole = sumDim(parts);
    unify(whole, dims(3, 10).flat(), reason);
    expect(describeDim(whole)).toBe("(1+1+1)·10");
    expect(leavesOf(parts[0]!)[0]).toBe(leavesOf(parts[2]!)[0]);
  });

  it("cuts two sums wherever either is cut", () => {
    const left = dims(8, 24);
    const right = dims(8, 16, 8);
    unify(sumDim(left), sumDim(right), reason);
    expect(describeDim(left[1]!)).toBe("(16+8)");
    expect(leavesOf(left[0]!)).toEqual(leavesOf(right[0]!));
  });
});

describe("factors found to be equal can be sharded on both sides alike:", () => {
  // Two ways to factor one number, as in a reshape.
  const reshape = fc
    .array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 })
    .chain((primes) => fc.tuple(fc.constant(primes), grouping(primes), grouping(primes)));

  function grouping(primes: readonly number[]): fc.Arbitrary<number[]> {
    return fc.array(fc.boolean(), { minLength: primes.length, maxLength: primes.length }).map((cuts) => {
      const sizes = [1];
      primes.forEach((prime, index) => {
        if (cuts[index]) sizes.push(prime);
        else sizes[sizes.length - 1]! *= prime;
      });
      return sizes;
    });
  }

  it("a reshaped tensor has the same selected elements", () => {
    fc.assert(
      fc.property(reshape, fc.nat(), fc.nat(), fc.nat(), ([, left, right], pick, from, length) => {
        const [a, b] = [dims(...left), dims(...right)];
        unify(a.flat(), b.flat(), reason);
        const free = leavesOf(a.flat()).filter((factor) => factor.whole === undefined);
        const factor = free[pick % Math.max(1, free.length)];
        if (factor === undefined) return;
        const start = from % factor.size[0];
        const end = start + 1 + (length % (factor.size[0] - start));
        const share = new Map([[factor, [start, end] as const]]);
        expect(flatIndices(a, share)).toEqual(flatIndices(b, share));
      }),
    );
  });

  it("local sizes are the numbers of selected elements", () => {
    fc.assert(
      fc.property(reshape, fc.nat(), ([, left, right], pick) => {
        const a = dims(...left);
        unify(a.flat(), dims(...right).flat(), reason);
        const factors = leavesOf(a.flat());
        const factor = factors[pick % Math.max(1, factors.length)];
        if (factor === undefined) return;
        const share = new Map([[factor, [0, 1] as const]]);
        for (const one of a) {
          const intervals = localIntervals(one, share);
          expect(intervals.reduce((sum, [start, end]) => sum + end - start, 0)).toBe(
            localSize(one, share)[0],
          );
        }
      }),
    );
  });
});

/** Row-major indices of the elements of a tensor that a rank has. */
function flatIndices(tensor: readonly Dim[], share: Parameters<typeof localIntervals>[1]): number[] {
  let flat = [0];
  for (const one of tensor) {
    const size = one.reduce((product, factor) => product * factor.size[0], 1);
    const indices = localIntervals(one, share).flatMap(([start, end]) =>
      Array.from({ length: end - start }, (_, index) => start + index),
    );
    flat = flat.flatMap((offset) => indices.map((index) => offset * size + index));
  }
  return flat;
}
