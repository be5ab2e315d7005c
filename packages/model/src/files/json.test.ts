import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { isInfinite, type JsonValue, parseJsonObject, readJsonObject } from "./json.js";

const parse = (text: string | Uint8Array, uniqueNames = true) =>
  parseJsonObject(typeof text === "string" ? Buffer.from(text) : text, "x.json", {
    maxBytes: 1000,
    uniqueNames,
  });

test("names that objects inherit are only names", () => {
  const object = parse('{"__proto__": {"admin": true}, "a": {"constructor": 1}}');
  expect(Object.keys(object)).toEqual(["__proto__", "a"]);
  expect(Object.getPrototypeOf(object)).toBeNull();
  expect(object.admin).toBeUndefined();
  expect(object.toString).toBeUndefined();
  expect(({} as Record<string, unknown>).admin).toBeUndefined();
});

test("what is read cannot be changed, at any depth", () => {
  const { a } = parse('{"a": [{"b": 1}]}') as { a: [{ b: number }] };
  expect(() => {
    a[0].b = 2;
  }).toThrow(TypeError);
});

test("an infinite number as Python spells it is read as transformers 5 spells it, outside of strings", () => {
  const object = parse('{"limit": [0.0, Infinity], "least": -Infinity, "text": "a, \\"Infinity"}');
  expect(object).toEqual({
    limit: [0, { __float__: "Infinity" }],
    least: { __float__: "-Infinity" },
    text: 'a, "Infinity',
  });
  const [, most] = object.limit as JsonValue[];
  expect([most, object.least, object.text].map(isInfinite)).toEqual([true, false, false]);
});

describe("a name that comes twice", () => {
  test.each([
    '{"a": 1, "a": 2}',
    '{"a": 1, "\\u0061": 2}',
    '{"x": [{"b": {}, "c": [], "b": {}}]}',
    '{"a" :1,\n"a"\t: 2}',
    '{"\\"": 1, "\\"": 2}',
  ])("is refused in %s", (text) => {
    expect(expectCode("RR_FILE_FORMAT", () => parse(text)).message).toContain("twice");
  });

  test.each(['{"a": {"a": "a"}, "b": ["a", "a", {"a": 1}, {"a": 2}]}', '{"a": "b: \\"a\\": ", "b": "a"}'])(
    "is not seen where there is none, in %s",
    (text) => {
      expect(parse(text)).toEqual(JSON.parse(text));
    },
  );

  test("counts last where the reader does not ask for unique names, as in Python", () => {
    expect(parse('{"a": 1, "a": 2}', false).a).toBe(2);
  });
});

test.each([
  "",
  "[]",
  "null",
  "1",
  '{"a": }',
  '{"a": 1',
  '{"a',
  '{"a": "\\',
  "{} {}",
  '{"\\x": 1}',
  "]",
  '{"a": NaN}',
])("what is not one JSON object is refused: %s", (text) => {
  expect(expectCode("RR_FILE_FORMAT", () => parse(text)).message).toContain("x.json");
});

test("bytes that are not UTF-8 are refused", () => {
  expectCode("RR_FILE_FORMAT", () => parse(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)));
});

test("a million brackets are refused before they are parsed", () => {
  const error = expectCode("RR_FILE_FORMAT", () => parse(`{"a":${"[".repeat(1_000_000)}`));
  expect(error.message).toContain("nested");
});

test("a long string full of escapes is walked in one pass", () => {
  const text = `{"a": "${'\\"'.repeat(1_000_000)}"}`;
  expect((parse(text).a as string).length).toBe(1_000_000);
});

test("a file larger than its kind ever is, is refused unread", () => {
  const directory = temporaryDirectory({ "big.json": new Uint8Array(1001) });
  expectCode("RR_FILE_FORMAT", () => readJsonObject(join(directory, "big.json"), { maxBytes: 1000 }));
});

test("a missing file is RR_MISSING_FILE, a directory in its place RR_FILE_FORMAT", () => {
  const directory = temporaryDirectory();
  expectCode("RR_MISSING_FILE", () => readJsonObject(join(directory, "no.json"), { maxBytes: 1000 }));
  expectCode("RR_FILE_FORMAT", () => readJsonObject(directory, { maxBytes: 1e9 }));
});
