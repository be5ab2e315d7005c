import fc from "fast-check";
import { expect, test } from "vitest";
import type { Weight } from "../graph/graph.js";
import { rowPieces } from "./row-pieces.js";
import { type Interval, selectedDims } from "./runs.js";

const rows = 12;
const source = { kind: "file", file: "weights.bin", offset: 0, storedAs: "float32" } as const;
const weight: Weight = { type: "float32", dims: [rows, 5], source };

/** Each index of the first axis that a selection has, in order. */
const indices = (intervals: readonly Interval[]): number[] =>
  intervals.flatMap(([start, end]) => Array.from({ length: end - start }, (_, i) => start + i));

const chosen = fc
  .array(fc.boolean(), { minLength: rows, maxLength: rows })
  .map((is) => is.flatMap((one, i): Interval[] => (one ? [[i, i + 1]] : [])));

test("pieces are the shard's rows, in order, each within the limit or of one row", () => {
  fc.assert(
    fc.property(chosen, fc.integer({ min: 1, max: 200 }), (intervals, limit) => {
      const selection = [intervals, [[1, 4] as const]];
      const pieces = [...rowPieces({ weight, selection, dims: selectedDims(selection) }, limit)];
      expect(pieces.flatMap((piece) => indices(piece.selection[0]!))).toEqual(indices(intervals));
      for (const { selection: part, dims } of pieces) {
        expect(dims).toEqual(selectedDims(part));
        expect(dims[0]! <= 1 || dims[0]! * 3 * 4 <= limit).toBe(true);
      }
    }),
    { seed: 1, numRuns: 300 },
  );
});

test("a scalar, and what is quantized as it is read, stay whole", () => {
  const scalar = { weight: { ...weight, dims: [] }, selection: [], dims: [] };
  expect([...rowPieces(scalar, 1)]).toEqual([scalar]);
  const matrix = { dims: [12, 64] as const, transposed: false, source };
  const quantized = {
    weight: {
      type: "uint8",
      dims: [12, 2, 16],
      source: { kind: "quantized", part: "values", bits: 4, matrix },
    },
    selection: [[[0, 12]], [[0, 2]], [[0, 16]]],
    dims: [12, 2, 16],
  } as const;
  expect([...rowPieces(quantized, 32)]).toEqual([quantized]);
});
