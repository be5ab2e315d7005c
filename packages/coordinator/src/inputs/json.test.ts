import { expect, it } from "vitest";
import { copyJson } from "./json.js";

const copyOf = (value: unknown) => copyJson(value, (at, got) => Object.assign(new Error(at), { got }));

it("copies all that JSON has, however deep", () => {
  const value = { a: [null, true, "text", -0.5, { b: [] }], c: {} };
  const copy = copyOf(value);
  value.a.length = 0;
  expect(copy).toEqual({ a: [null, true, "text", -0.5, { b: [] }], c: {} });
});

it("omits fields that are undefined, as JSON does", () => {
  expect(Object.keys(copyOf({ a: undefined, b: 1 }) as object)).toEqual(["b"]);
});

it("copies objects without a prototype", () => {
  expect(copyOf(Object.assign(Object.create(null), { a: 1 }))).toEqual({ a: 1 });
});

it.each([
  ["a bigint", 5n],
  ["NaN, which JSON would write as null", Number.NaN],
  ["an infinite number", Number.POSITIVE_INFINITY],
  ["a function", () => {}],
  ["undefined in an array", undefined],
  ["a Map, whose contents JSON would lose", new Map([["a", 1]])],
  ["an object that decides what JSON writes", { toJSON: () => "another" }],
])("refuses %s, and says where it is", (_, got) => {
  expect(() => copyOf({ tools: [{}, { name: [got] }] })).toThrow(
    expect.objectContaining({ message: ".tools[1].name[0]", got }),
  );
});

it.each([
  ["arrays", (inner: unknown) => [inner]],
  ["objects", (inner: unknown) => ({ inner })],
])("refuses %s within each other more than 64 deep, and so what contains itself", (_, around) => {
  const nested = (depth: number): unknown => (depth === 0 ? 1 : around(nested(depth - 1)));
  expect(copyOf(nested(64))).toEqual(nested(64));
  expect(() => copyOf(nested(65))).toThrow();
});
