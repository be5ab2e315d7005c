import type { CacheEntry } from "@ringrank/coordinator";
import { expect, test } from "vitest";
import { cacheTable } from "./cache-table.js";

const now = new Date("2030-01-10T12:00:00Z");
const entry = (rank: number, hoursAgo: number, more: Partial<CacheEntry> = {}): CacheEntry => ({
  path: `/cache/${rank}`,
  model: "/models/a",
  bits: [4],
  rank,
  worldSize: 2,
  bytes: 1_500_000,
  usedAt: new Date(now.getTime() - hoursAgo * 3_600_000),
  ...more,
});

test("lists the ranks of one load and its plan on one line, the last used first, and the sum at the end", () => {
  const damaged = { path: "/cache/x", model: undefined, bits: [], rank: undefined, worldSize: undefined };
  const entries = [
    entry(0, 72),
    entry(1, 72),
    entry(1, 72, { rank: undefined, bytes: 20_000 }),
    entry(0, 0.5, { bits: [8], worldSize: 1 }),
    entry(0, 5, damaged),
  ];
  expect(cacheTable(entries, now).split("\n")).toEqual([
    "size     weights  ranks   used        model",
    "1.50 MB  int8     1 of 1  30 min ago  /models/a",
    "1.50 MB                   5 h ago     (damaged; made again when used)",
    "3.02 MB  int4     2 of 2  3 days ago  /models/a",
    "",
    "6.02 MB in all",
  ]);
});

test.each([
  [59.99, "59 min ago"],
  [60, "1 h ago"],
  [60 * 47.99, "47 h ago"],
  [60 * 48, "2 days ago"],
  [60 * 71.99, "2 days ago"],
])("the time since %d minutes ago is rounded down to what is readable: %s", (minutes, age) => {
  expect(cacheTable([entry(0, minutes / 60)], now)).toContain(`  ${age}  `);
});

test("loads on other numbers of ranks, or of other precision, have lines of their own", () => {
  const entries = [entry(0, 1), entry(0, 2, { worldSize: 1 }), entry(0, 3, { bits: [4, 8] })];
  const lines = cacheTable(entries, now).split("\n").slice(1, 4);
  expect(lines.map((line) => line.split(/ {2,}/).slice(1, 3))).toEqual([
    ["int4", "1 of 2"],
    ["int4", "1 of 1"],
    ["int4 int8", "1 of 2"],
  ]);
});

test("an entry that another machine's clock dates to the future has just been used", () => {
  expect(cacheTable([entry(0, -1)], now)).toContain("  0 min ago  ");
});
