import { expect, test } from "vitest";
import { coveringRange, swapsToNeighbours } from "./slot-arrangement.js";

test("the covering range has all slots and no more than it must", () => {
  expect(coveringRange([4])).toEqual({ first: 4, count: 1 });
  expect(coveringRange([5, 1, 3])).toEqual({ first: 1, count: 5 });
});

test("slots that are neighbours already need no swap", () => {
  expect(swapsToNeighbours([3, 2, 4], 6)).toEqual([]);
});

test("only slots outside the fullest window are moved, into its gaps", () => {
  expect(swapsToNeighbours([0, 4, 5, 7], 8)).toEqual([[0, 6]]);
});

test("after the swaps the slots are neighbours", () => {
  const wanted = [0, 2, 4, 6];
  const places = Array.from({ length: 9 }, (_, slot) => slot);
  for (const [from, to] of swapsToNeighbours(wanted, 9)) {
    [places[from], places[to]] = [places[to]!, places[from]!];
  }
  const found = wanted.map((slot) => places.indexOf(slot));
  expect(coveringRange(found).count).toBe(wanted.length);
});
