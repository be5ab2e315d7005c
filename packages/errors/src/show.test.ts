import { expect, it } from "vitest";
import { show } from "./show.js";

it.each<[unknown, string]>([
  [2, "2"],
  ["2", '"2"'],
  ["x".repeat(100), `"${"x".repeat(80)}…"`],
  [2n, "2n"],
  [[1, 2], "an array of 2"],
  [new URL("file:///a"), "an object (URL)"],
  [Object.create(null), "an object (null)"],
  [{ constructor: { name: Symbol("x") } }, "an object (null)"],
  [() => {}, "a function"],
  [null, "null"],
  [undefined, "undefined"],
])("a message shows %s as %s", (value, shown) => {
  expect(show(value)).toBe(shown);
});
