import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { QuantizedMatrix } from "./blocks.js";
import { longestStrip, stripsOf } from "./strips.js";

/** Matrices of so many rows each. */
function placed(rows: readonly number[]) {
  return rows.map((rows, output) => ({ matrix: { rows } as QuantizedMatrix, output }));
}

const anyMatrices = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 5 });

describe("strips", () => {
  it("have each row of each matrix once, in order", () => {
    fc.assert(
      fc.property(anyMatrices, (rows) => {
        const matrices = placed(rows);
        const next = matrices.map(() => 0);
        for (const { parts } of stripsOf(matrices)) {
          for (const { placed, first, count } of parts) {
            expect(first).toBe(next[placed.output]);
            expect(count).toBeGreaterThan(0);
            next[placed.output]! += count;
          }
        }
        expect(next).toEqual(rows);
      }),
    );
  });

  it("have the rows of their parts one after the other", () => {
    fc.assert(
      fc.property(anyMatrices, (rows) => {
        for (const strip of stripsOf(placed(rows))) {
          let next = 0;
          for (const { at, count } of strip.parts) {
            expect(at).toBe(next);
            next += count;
          }
          expect(strip.rows).toBe(next);
        }
      }),
    );
  });

  it("have no more rows than stay near", () => {
    fc.assert(
      fc.property(anyMatrices, (rows) => {
        for (const strip of stripsOf(placed(rows))) expect(strip.rows).toBeLessThanOrEqual(longestStrip);
      }),
    );
  });

  it("are one where all matrices fit into it", () => {
    expect(stripsOf(placed([448, 64, 64])).map(({ rows }) => rows)).toEqual([576]);
  });

  it("are as long as each other, by whole tiles", () => {
    expect(stripsOf(placed([2432, 2432])).map(({ rows }) => rows)).toEqual(Array(8).fill(608));
    expect(stripsOf(placed([1300])).map(({ rows }) => rows)).toEqual([448, 448, 404]);
  });
});
