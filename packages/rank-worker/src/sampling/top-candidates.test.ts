import { describe, expect, it } from "vitest";
import { TopCandidates } from "./top-candidates.js";

/** Few values, so that there are ties; one in six is −∞. */
const keysOf = (length: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => {
    const value = (i * i * 7 + i * 13) % 48;
    return value % 6 === 0 ? Number.NEGATIVE_INFINITY : value - 24;
  });

/** The expected candidates, by definition: all sorted by decreasing key, then by element; −∞ never. */
const largest = (keys: Float32Array, limit: number): number[] =>
  [...keys.keys()]
    .filter((element) => keys[element]! > Number.NEGATIVE_INFINITY)
    .sort((a, b) => keys[b]! - keys[a]! || a - b)
    .slice(0, limit);

describe("TopCandidates, offered all of", () => {
  it.each([0, 1, 7, 8, 9, 16, 31, 200])(
    "%i keys, takes the largest, and the first of tied ones",
    (length) => {
      const keys = keysOf(length);
      for (const limit of [1, 3, 64]) {
        const top = new TopCandidates(limit);
        expect(top.offerAll(keys)).toBe(true);
        expect([...top.sorted()]).toEqual(largest(keys, limit));
      }
    },
  );

  it.each([
    ["NaN", Number.NaN],
    ["+∞", Number.POSITIVE_INFINITY],
  ])("keys with %s among them, reports it, wherever it is", (_, broken) => {
    for (let place = 0; place < 21; place++) {
      expect(new TopCandidates(2).offerAll(keysOf(21).fill(broken, place, place + 1))).toBe(false);
    }
  });
});
