import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { QuantizedMatrix } from "../blocks.js";
import { longestStrip, stripsAcross, stripsOf } from "./strips.js";

/** Matrices with this many rows each. */
function placed(rows: readonly number[]) {
  return rows.map((rows, output) => ({ matrix: { rows } as QuantizedMatrix, output }));
}

const anyMatrices = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 5 });

describe("strips", () => {
  it("contain each row of each matrix once, in order", () => {
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

  it("have the rows of their parts in sequence", () => {
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

  it("have at most as many rows as fit into the cache", () => {
    fc.assert(
      fc.property(anyMatrices, (rows) => {
        for (const strip of stripsOf(placed(rows))) expect(strip.rows).toBeLessThanOrEqual(longestStrip);
      }),
    );
  });

  it("are one if all matrices fit into it", () => {
    expect(stripsOf(placed([448, 64, 64])).map(({ rows }) => rows)).toEqual([576]);
  });

  it("are equally long, up to whole tiles", () => {
    expect(stripsOf(placed([2432, 2432])).map(({ rows }) => rows)).toEqual(Array(8).fill(608));
    expect(stripsOf(placed([1300])).map(({ rows }) => rows)).toEqual([448, 448, 404]);
  });
});

describe("strips across outputs", () => {
  /** Outputs of equal width, with two matrices or one each. */
  const anyOutputs = fc
    .record({
      width: fc.integer({ min: 1, max: 3000 }),
      ends: fc.array(fc.integer({ min: 1 }), { minLength: 1, maxLength: 4 }),
    })
    .map(({ width, ends }) => {
      const placed = ends.flatMap((end, output) => {
        const first = Math.min(width, (end % width) + 1);
        const all = [
          { matrix: { rows: first, offset: 0 } as QuantizedMatrix, output },
          { matrix: { rows: width - first, offset: first } as QuantizedMatrix, output },
        ];
        return all.filter(({ matrix }) => matrix.rows > 0);
      });
      return { width, outputs: ends.length, placed };
    });

  it("contain the same columns of every output, each once, in order", () => {
    fc.assert(
      fc.property(anyOutputs, ({ width, outputs, placed }) => {
        const next: number[] = Array(outputs).fill(0);
        for (const { parts, from, columns } of stripsAcross(placed, outputs, width)) {
          expect(next).toEqual(Array(outputs).fill(from));
          for (const { placed, first, count } of parts) {
            expect(placed.matrix.offset + first).toBe(next[placed.output]);
            next[placed.output]! += count;
          }
          expect(next).toEqual(Array(outputs).fill(from + columns));
        }
        expect(next).toEqual(Array(outputs).fill(width));
      }),
    );
  });

  it("have the rows of their parts in sequence, and at most as many as fit into the cache", () => {
    fc.assert(
      fc.property(anyOutputs, ({ width, outputs, placed }) => {
        for (const strip of stripsAcross(placed, outputs, width)) {
          let next = 0;
          for (const { at, count } of strip.parts) {
            expect(at).toBe(next);
            next += count;
          }
          expect(strip.rows).toBe(next);
          expect(strip.rows).toBeLessThanOrEqual(longestStrip);
        }
      }),
    );
  });

  it("start a whole number of tiles after one another", () => {
    const placed = [0, 1].map((output) => ({ matrix: { rows: 2432, offset: 0 } as QuantizedMatrix, output }));
    const strips = stripsAcross(placed, 2, 2432);
    expect(strips.map(({ from, columns }) => [from, columns])).toEqual([
      ...Array.from({ length: 7 }, (_, at) => [at * 320, 320]),
      [2240, 192],
    ]);
  });
});
