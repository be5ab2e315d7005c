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

test("names inherited by objects are ordinary names", () => {
  const object = parse('{"__proto__": {"admin": true}, "a": {"constructor": 1}}');
  expect(Object.keys(object)).toEqual(["__proto__", "a"]);
  expect(Object.getPrototypeOf(object)).toBeNull();
  expect(object.admin).toBeUndefined();
  expect(object.toString).toBeUndefined();
  expect(({} as Record<string, unknown>).admin).toBeUndefined();
});

test("the result is deeply frozen", () => {
  const { a } = parse('{"a": [{"b": 1}]}') as { a: [{ b: number }] };
  expect(() => {
    a[0].b = 2;
  }).toThrow(TypeError);
});

test("reads Python's spelling of infinite numbers as transformers 5 writes them, outside of strings", () => {
  const object = parse('{"limit": [0.0, Infinity], "least": -Infinity, "text": "a, \\"Infinity"}');
  expect(object).toEqual({
    limit: [0, { __float__: "Infinity" }],
    least: { __float__: "-Infinity" },
    text: 'a, "Infinity',
  });
  const [, most] = object.limit as JsonValue[];
  expect([most, object.least, object.text].map(isInfinite)).toEqual([true, false, false]);
});

describe("a repeated name", () => {
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
    "is not reported in %s, which has none",
    (text) => {
      expect(parse(text)).toEqual(JSON.parse(text));
    },
  );

  test("takes the last value if unique names are not required, as in Python", () => {
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
])("refuses what is not a single JSON object: %s", (text) => {
  expect(expectCode("RR_FILE_FORMAT", () => parse(text)).message).toContain("x.json");
});

test("refuses bytes that are not UTF-8", () => {
  expectCode("RR_FILE_FORMAT", () => parse(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)));
});

test("refuses a million brackets before they are parsed", () => {
  const error = expectCode("RR_FILE_FORMAT", () => parse(`{"a":${"[".repeat(1_000_000)}`));
  expect(error.message).toContain("nested");
});

test("scans a long string full of escapes in one pass", () => {
  const text = `{"a": "${'\\"'.repeat(1_000_000)}"}`;
  expect((parse(text).a as string).length).toBe(1_000_000);
});

test("refuses a file larger than its kind can be, without reading it", () => {
  const directory = temporaryDirectory({ "big.json": new Uint8Array(1001) });
  expectCode("RR_FILE_FORMAT", () => readJsonObject(join(directory, "big.json"), { maxBytes: 1000 }));
});

test("a missing file is RR_MISSING_FILE, a directory instead of a file RR_FILE_FORMAT", () => {
  const directory = temporaryDirectory();
  expectCode("RR_MISSING_FILE", () => readJsonObject(join(directory, "no.json"), { maxBytes: 1000 }));
  expectCode("RR_FILE_FORMAT", () => readJsonObject(directory, { maxBytes: 1e9 }));
});
