import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { describe as describeValue } from "./evaluated.js";
import { evaluateCase, int64, known } from "./testing/operator-case.js";

/**
 * Compares operators with plain loops over index tuples, on small tensors with the elements 0, 1, 2, … in row-major
 * order.
 */

const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 });

function count(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1);
}

function counting(dims: readonly number[]) {
  return known("int64", dims, [...Array(count(dims)).keys()]);
}

function shapeText(dims: readonly number[]): string {
  return describeValue({ type: "int64", dims });
}

/** Every index tuple of a shape, in row-major order. */
function indices(dims: readonly number[]): number[][] {
  return dims.reduce<number[][]>(
    (tuples, size) => tuples.flatMap((tuple) => Array.from({ length: size }, (_, i) => [...tuple, i])),
    [[]],
  );
}

/** The element of {@link counting} at an index tuple, which is its row-major position. */
function at(dims: readonly number[], index: readonly number[]): number {
  return dims.reduce((position, size, axis) => position * size + index[axis]!, 0);
}

describe("broadcasting", () => {
  /** Two shapes derived from one by omitting leading axes and setting sizes to 1. */
  const broadcastable = shapes.chain((dims) => {
    const thinned = fc
      .tuple(fc.nat(dims.length), fc.array(fc.boolean(), { minLength: dims.length, maxLength: dims.length }))
      .map(([from, ones]) => dims.map((size, axis) => (ones[axis] ? 1 : size)).slice(from));
    return fc.tuple(thinned, thinned);
  });

  test("combines the elements of both at every index, repeating sizes of 1", () => {
    fc.assert(
      fc.property(broadcastable, ([a, b]) => {
        const rank = Math.max(a.length, b.length);
        const dims = Array.from({ length: rank }, (_, axis) =>
          Math.max(a[axis - rank + a.length] ?? 1, b[axis - rank + b.length] ?? 1),
        );
        const pick = (own: number[], index: number[]) =>
          at(
            own,
            index.slice(rank - own.length).map((i, axis) => (own[axis] === 1 ? 0 : i)),
          );
        const { gives, contents } = evaluateCase({ operator: "Sub", inputs: [counting(a), counting(b)] });
        expect(gives).toEqual([shapeText(dims)]);
        expect(contents).toEqual(indices(dims).map((index) => pick(a, index) - pick(b, index)));
      }),
    );
  });
});

describe("Reshape", () => {
  test("computes the size that −1 stands for, and keeps the order of elements", () => {
    fc.assert(
      fc.property(shapes, shapes, fc.nat(), (from, to, which) => {
        const source = [...from, count(to)];
        const target = [...to, count(from)];
        const free = which % target.length;
        const { gives, contents } = evaluateCase({
          operator: "Reshape",
          inputs: [counting(source), int64(...target.with(free, -1))],
        });
        expect(gives).toEqual([shapeText(target)]);
        expect(contents).toEqual([...Array(count(source)).keys()]);
      }),
    );
  });
});

describe("Transpose", () => {
  test("moves the element at i to the permuted index", () => {
    const permuted = shapes.chain((dims) =>
      fc.tuple(fc.constant(dims), fc.shuffledSubarray([...dims.keys()], { minLength: dims.length })),
    );
    fc.assert(
      fc.property(permuted, ([dims, perm]) => {
        const target = perm.map((axis) => dims[axis]!);
        const { gives, contents } = evaluateCase({
          operator: "Transpose",
          inputs: [counting(dims)],
          attributes: { perm },
        });
        expect(gives).toEqual([shapeText(target)]);
        const expected = indices(target).map((index) =>
          at(
            dims,
            dims.map((_, axis) => index[perm.indexOf(axis)]!),
          ),
        );
        expect(contents).toEqual(expected);
      }),
    );
  });
});

describe("Slice", () => {
  const bound = fc.oneof(fc.integer({ min: -7, max: 7 }), fc.constantFrom(Infinity, -Infinity));
  const step = fc.integer({ min: -3, max: 3 }).filter((by) => by !== 0);

  /**
   * The indices that https://onnx.ai/onnx/operators/onnx__Slice.html visits, one by one. Unlike in numpy, a backward
   * walk that starts before the front starts at 0; and in ONNX Runtime, an end of INT_MAX means no end.
   */
  function walked(size: number, start: number, end: number, by: number): number[] {
    const clamped = (bound: number, low: number, high: number) =>
      Math.max(low, Math.min(high, bound < 0 ? bound + size : bound));
    const from = clamped(start, 0, by > 0 ? size : size - 1);
    const to = by > 0 ? clamped(end, 0, size) : end === Infinity ? -1 : clamped(end, -1, size - 1);
    const visited: number[] = [];
    for (let i = from; by > 0 ? i < to : i > to; i += by) visited.push(i);
    return visited;
  }

  test("visits the indices from start to end in steps", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 3 }),
        bound,
        bound,
        step,
        (n, inner, start, end, by) => {
          const visited = walked(n, start, end, by);
          const { gives, contents } = evaluateCase({
            operator: "Slice",
            inputs: [counting([n, inner]), int64(start), int64(end), int64(0), int64(by)],
          });
          expect(gives).toEqual([shapeText([visited.length, inner])]);
          const rows = visited.flatMap((row) => Array.from({ length: inner }, (_, i) => row * inner + i));
          expect(contents).toEqual(rows);
        },
      ),
    );
  });
});

describe("Gather", () => {
  test("replaces the axis by the given rows", () => {
    const row = fc.integer({ min: -3, max: 2 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), fc.array(row, { maxLength: 5 }), (outer, rows) => {
        const dims = [outer, 3, 2];
        const { gives, contents } = evaluateCase({
          operator: "Gather",
          inputs: [counting(dims), int64(...rows)],
          attributes: { axis: 1 },
        });
        const target = [outer, rows.length, 2];
        expect(gives).toEqual([shapeText(target)]);
        expect(contents).toEqual(indices(target).map(([i, j, k]) => at(dims, [i!, (rows[j!]! + 3) % 3, k!])));
      }),
    );
  });
});
