import { expect, test } from "vitest";
import { swapsToNeighbours } from "./slot-arrangement.js";

test("slots that are already adjacent need no swap", () => {
  expect(swapsToNeighbours([3, 2, 4], 6)).toEqual([]);
});

test("only slots outside the fullest window are moved, into its gaps", () => {
  expect(swapsToNeighbours([0, 4, 5, 7], 8)).toEqual([[0, 6]]);
});

test("after the swaps, the slots are adjacent", () => {
  const wanted = [0, 2, 4, 6];
  const places = Array.from({ length: 9 }, (_, slot) => slot);
  for (const [from, to] of swapsToNeighbours(wanted, 9)) {
    [places[from], places[to]] = [places[to]!, places[from]!];
  }
  const found = wanted.map((slot) => places.indexOf(slot)).sort();
  expect(found).toEqual(found.map((_, at) => found[0]! + at));
});
