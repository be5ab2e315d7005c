import { InvalidArgumentError } from "commander";
import { expect, test } from "vitest";
import { collect, parseBytes, parseIds, parseNumber } from "./numbers.js";

test.each([
  ["0", 0],
  ["-1", -1],
  ["0.75", 0.75],
  ["1e3", 1000],
  ["Infinity", Number.POSITIVE_INFINITY],
])("reads the number %s", (text, value) => {
  expect(parseNumber(text)).toBe(value);
});

test.each(["", " ", "two", "1,5", "NaN", "3 tokens"])("refuses %j as a number", (text) => {
  expect(() => parseNumber(text)).toThrow(InvalidArgumentError);
});

test.each([
  ["800000000", 800_000_000],
  ["800MB", 800_000_000],
  ["24 gb", 24_000_000_000],
  ["1.5GiB", 1_610_612_736],
  [" 7B ", 7],
  ["1.9", 1],
  ["1kB", 1000],
  ["1TB", 1e12],
  ["1KiB", 2 ** 10],
  ["1MiB", 2 ** 20],
  ["1TiB", 2 ** 40],
])("reads %s as bytes", (text, bytes) => {
  expect(parseBytes(text)).toBe(bytes);
});

test.each(["", "GB", "1.2.3", "5 parsecs", "-1MB", "1constructor"])(
  "refuses %j as a number of bytes",
  (text) => {
    expect(() => parseBytes(text)).toThrow(InvalidArgumentError);
  },
);

test("collects an option that is given several times, in order", () => {
  expect(collect("b", collect("a"))).toEqual(["a", "b"]);
});

test.each([
  ["2", [2]],
  ["2,128028", [2, 128028]],
  ["2, 0 ,7", [2, 0, 7]],
])("reads the token ids %s", (text, ids) => {
  expect(parseIds(text)).toEqual(ids);
});

test.each(["", "2,", "-1", "1.5", "<s>"])("refuses %j as token ids", (text) => {
  expect(() => parseIds(text)).toThrow(InvalidArgumentError);
});
