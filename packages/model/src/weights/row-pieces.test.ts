import fc from "fast-check";
import { expect, test } from "vitest";
import type { Weight } from "../graph/graph.js";
import { rowPieces } from "./row-pieces.js";
import { type Interval, selectedDims } from "./runs.js";

const rows = 12;
const source = { kind: "file", file: "weights.bin", offset: 0, storedAs: "float32" } as const;
const weight: Weight = { type: "float32", dims: [rows, 5], source };

/** All indices of a selection along the first axis, in order. */
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

test("values and scales of a quantized matrix are split at the same rows", () => {
  const matrix = { dims: [12, 64] as const, transposed: false, source };
  const part = (name: "values" | "scales", type: "uint8" | "float32", inner: number[]) => ({
    weight: {
      type,
      dims: [12, ...inner],
      source: { kind: "quantized", part: name, bits: 4, matrix } as const,
    },
    selection: [[[1, 4] as const, [6, 12] as const], ...inner.map((size): Interval[] => [[0, size]])],
    dims: [9, ...inner],
  });
  // A row has two blocks of 16 bytes, so a piece has two rows.
  const [values, scales] = [part("values", "uint8", [2, 16]), part("scales", "float32", [2])].map((shard) =>
    [...rowPieces(shard, 70)].map(({ selection: [cut] }) => cut),
  );
  expect(values).toEqual([
    [[1, 3]],
    [
      [3, 4],
      [6, 7],
    ],
    [[7, 9]],
    [[9, 11]],
    [[11, 12]],
  ]);
  expect(scales).toEqual(values);
});

test("each matrix of a quantized stack is a piece, however small", () => {
  const matrix = { dims: [12, 64] as const, transposed: false, source };
  const part = { kind: "quantized", part: "values", bits: 4, matrix } as const;
  const stack: Weight = {
    type: "uint8",
    dims: [3, 12, 2, 16],
    source: { kind: "stack", parts: [part, part, part] },
  };
  const selection: Interval[][] = [
    [
      [0, 1],
      [2, 3],
    ],
    [[0, 12]],
    [[0, 2]],
    [[0, 16]],
  ];
  const pieces = [...rowPieces({ weight: stack, selection, dims: selectedDims(selection) }, 2 ** 20)];
  expect(pieces.map(({ selection: [chosen] }) => chosen)).toEqual([[[0, 1]], [[2, 3]]]);
});

test("a scalar is not split", () => {
  const scalar = { weight: { ...weight, dims: [] }, selection: [], dims: [] };
  expect([...rowPieces(scalar, 1)]).toEqual([scalar]);
});
