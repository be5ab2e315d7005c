import { expect, it } from "vitest";
import { ringRows } from "./rows.js";

it.each([
  ["a window of nothing but the query itself", { window: 1 }, 64],
  ["a window whose past fills a block", { window: 65 }, 64],
  ["a window whose past begins another block", { window: 66 }, 128],
  ["no window", {}, Number.POSITIVE_INFINITY],
  ["a window, but all rows fed", { window: 65, exact: true }, Number.POSITIVE_INFINITY],
])("a cache with %s wraps around after whole blocks that hold its past", (_, cache, rows) => {
  expect(ringRows(cache)).toBe(rows);
});
