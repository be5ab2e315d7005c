import { expect, it } from "vitest";
import type { Role } from "../analysis/roles.js";
import { leaf } from "../factors/factor.js";
import { evenShareOf, sharesOf } from "./share.js";

/** A role with one factor, whose units may be divided by a companion. */
function roleOf(units: number, pieces?: number) {
  const factor = leaf([units, units]);
  const companion = pieces === undefined ? undefined : leaf([pieces, pieces]);
  const role: Role = {
    factors: [factor],
    units,
    within: companion && new Map([[factor, companion]]),
    label: {} as Role["label"],
  };
  return { role, factor, companion };
}

it.each([
  { units: 6, ranks: 4, even: 1.5 },
  { units: 4, ranks: 8, even: 1 },
])(
  "plans are compared as if $units units could be cut evenly for $ranks ranks, but not into more parts than units",
  (one) => {
    const { role, factor } = roleOf(one.units);
    expect(evenShareOf([role], one.ranks).get(factor)).toEqual([0, one.even]);
  },
);

it("more ranks than units share the pieces of units", () => {
  const { role, factor, companion } = roleOf(2, 4);
  expect(evenShareOf([role], 4).get(companion!)).toEqual([0, 2]);
  const shares = sharesOf([role], 4);
  expect(shares.map((share) => share.get(factor))).toEqual([
    [0, 1],
    [0, 1],
    [1, 2],
    [1, 2],
  ]);
  expect(shares.map((share) => share.get(companion!))).toEqual([
    [0, 2],
    [2, 4],
    [0, 2],
    [2, 4],
  ]);
});

it("up to as many ranks as units have whole units", () => {
  const { role, companion } = roleOf(4, 2);
  expect(sharesOf([role], 4).map((share) => share.has(companion!))).toEqual([false, false, false, false]);
});
