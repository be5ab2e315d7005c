import fc from "fast-check";
import { expect, test } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { checkSelection, type Interval, partOf, RunCursor, type Selection } from "./runs.js";

function runsOf(dims: readonly number[], selection: Selection): [start: number, length: number][] {
  const cursor = new RunCursor(dims, selection);
  const runs: [number, number][] = [];
  while (cursor.next()) runs.push([cursor.start, cursor.length]);
  return runs;
}

/** Flat indices of the selected elements, one by one. */
function indicesOf(dims: readonly number[], selection: Selection): number[] {
  return selection.reduce<number[]>(
    (outer, intervals, axis) =>
      outer.flatMap((index) =>
        intervals.flatMap(([start, end]) =>
          Array.from({ length: end - start }, (_, i) => index * dims[axis]! + start + i),
        ),
      ),
    [0],
  );
}

const axis = fc.integer({ min: 1, max: 6 }).chain((dim) =>
  fc.array(fc.boolean(), { minLength: dim, maxLength: dim }).map((chosen) => ({
    dim,
    intervals: chosen.flatMap((is, i): Interval[] => (is ? [[i, i + 1]] : [])),
  })),
);

test("runs cover the selected elements in order, and no two of them are adjacent", () => {
  fc.assert(
    fc.property(fc.array(axis, { maxLength: 4 }), (axes) => {
      const dims = axes.map(({ dim }) => dim);
      const selection = axes.map(({ intervals }) => intervals);
      const runs = runsOf(dims, selection);
      const covered = runs.flatMap(([start, length]) => Array.from({ length }, (_, i) => start + i));
      expect(covered).toEqual(indicesOf(dims, selection));
      runs.slice(1).forEach(([start], i) => {
        expect(start).toBeGreaterThan(runs[i]![0] + runs[i]![1]);
      });
    }),
    { seed: 1, numRuns: 300 },
  );
});

test("a whole tensor is one run, whatever its number of axes", () => {
  expect(runsOf([3, 4, 5], [[[0, 3]], [[0, 4]], [[0, 5]]])).toEqual([[0, 60]]);
});

test("a scalar is one run of one element", () => {
  expect(runsOf([], [])).toEqual([[0, 1]]);
});

test("a tensor without elements, or an empty selection, has no runs", () => {
  expect(runsOf([3, 0], [[[0, 3]], []])).toEqual([]);
  expect(runsOf([3, 4], [[], [[0, 4]]])).toEqual([]);
});

test("a part of the intervals is cut at its start and end, in whichever intervals these are", () => {
  const intervals: Interval[] = [
    [2, 5],
    [8, 12],
  ];
  expect(partOf(intervals, 1, 5)).toEqual([
    [3, 5],
    [8, 10],
  ]);
  expect(partOf(intervals, 3, 7)).toEqual([[8, 12]]);
});

test.each<[string, Selection]>([
  ["missing an axis", [[[0, 2]]]],
  ["beyond the axis", [[[0, 3]], [[0, 4]]]],
  ["negative", [[[-1, 2]], [[0, 4]]]],
  ["fractional", [[[0, 1.5]], [[0, 4]]]],
  ["empty interval", [[[1, 1]], [[0, 4]]]],
  [
    "overlapping",
    [
      [[0, 2]],
      [
        [0, 3],
        [2, 4],
      ],
    ],
  ],
  [
    "decreasing",
    [
      [[0, 2]],
      [
        [2, 4],
        [0, 1],
      ],
    ],
  ],
])("refuses a selection that is %s", (_, selection) => {
  expectCode("RR_SHAPE", () => checkSelection(selection, [2, 4]));
});
