import { expect, test } from "vitest";
import {
  cachedEntry,
  capacities,
  expectedRows,
  NamedCache,
  rowsOf,
  sourcedEntry,
  step,
} from "../testing/named-cache.js";
import { cacheLimits, restorableTokens } from "./restorable.js";

test("a restored sequence has the first rows of the kept one, in a slot of its own, and goes on from there", () => {
  const cache = new NamedCache(cachedEntry());
  step(cache, [1], 70);
  cache.keep(1);
  cache.restore(2, 1, 5);
  expect(rowsOf(cache, 2)).toEqual(expectedRows(1, 0, 5));
  step(cache, [2]);
  expect(rowsOf(cache, 2)).toEqual({ ...expectedRows(1, 0, 5), 5: 205 });
});

test("a kept sequence takes no slot and no capacity, and can be restored until it is closed", () => {
  const cache = new NamedCache(cachedEntry());
  step(cache, [1], 300);
  step(cache, [2], 3);
  cache.keep(1);
  expect(cache.slots).toBe(1);
  expect(capacities(cache)).toEqual([64]);
  cache.restore(3, 1, 200);
  cache.restore(4, 1, 300);
  expect(rowsOf(cache, 3)).toEqual(expectedRows(1, 0, 200));
  expect(rowsOf(cache, 4)).toEqual(expectedRows(1, 0, 300));
  expect(rowsOf(cache, 2)).toEqual(expectedRows(2, 0, 3));
  cache.close(1);
  expect(() => cache.restore(5, 1, 3)).toThrow(expect.objectContaining({ code: "RR_INPUT" }));
});

/** Whether the rows of all positions that the next token sees are there. */
function isWhole(cache: NamedCache, sequence: number, window: number): boolean {
  const length = cache.length(sequence);
  const rows = rowsOf(cache, sequence);
  return Object.keys(expectedRows(sequence, Math.max(0, length - (window - 1)), length)).every(
    (position) => position in rows,
  );
}

test.each([2, 64, 65, 66, 100])(
  "with a window of %i, what is restorable has all rows that the next token sees, also if what was kept had been restored",
  (window) => {
    const windowed = cachedEntry({ window });
    const cache = new NamedCache(windowed);
    let last = 0;
    /** Keeps a sequence, and restores all beginnings of it that may be restored, one after the other. */
    const forEachRestored = (kept: number, then: (restored: number) => void): void => {
      const length = cache.length(kept);
      cache.keep(kept);
      for (const common of [1, 30, 64, 65, 127, length - 20, length - 1, length]) {
        if (common < 1 || common > length) continue;
        if (restorableTokens(cacheLimits(windowed), length, common) === 0) continue;
        const restored = ++last;
        cache.restore(restored, kept, common);
        expect([length, common, isWhole(cache, restored, window)]).toEqual([length, common, true]);
        expect(Math.max(...Object.keys(rowsOf(cache, restored)).map(Number))).toBe(common - 1);
        then(restored);
        cache.close(restored);
      }
    };
    for (const length of [1, 40, 64, 65, 128, 129, 200]) {
      for (const longer of [1, 25, 64]) {
        const first = ++last;
        step(cache, [first], length);
        forEachRestored(first, (second) => {
          step(cache, [second], longer);
          forEachRestored(second, () => {});
        });
        cache.close(first);
      }
    }
  },
);

test("with windows, fewer tokens than were kept are restorable if no row has been overwritten", () => {
  const windows = [cachedEntry({ window: 66 }), cachedEntry({ window: 129 }), cachedEntry()];
  const limits = cacheLimits({ caches: windows.flatMap(({ caches }) => caches) });
  expect(restorableTokens(limits, 128, 5)).toBe(5);
  expect(restorableTokens(limits, 129, 128)).toBe(0);
  expect(restorableTokens(limits, 129, 129)).toBe(129);
  expect(restorableTokens(cacheLimits(cachedEntry()), 1e6, 5)).toBe(5);
  expect(restorableTokens(cacheLimits(cachedEntry({ window: 3, exact: true })), 1e6, 5)).toBe(5);
});

test("nothing is restorable beside a cache that depends on a source", () => {
  expect(restorableTokens(cacheLimits(sourcedEntry()), 3, 3)).toBe(0);
});

test("nothing is restorable if rows depend on the length of their prompt", () => {
  const limits = cacheLimits({ ...cachedEntry(), inputs: [{ name: "prompt_lengths" }] });
  expect(restorableTokens(limits, 3, 3)).toBe(0);
});
