import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { sameBytes } from "./same-bytes.js";

const files = { a: "..abcd", b: "abcd..", c: "abce" };
const ranges = () => {
  const directory = temporaryDirectory(files);
  return (name: keyof typeof files, offset: number, bytes = 4) => ({
    file: join(directory, name),
    offset,
    bytes,
  });
};

test("ranges of two files are equal if their bytes are", () => {
  const range = ranges();
  expect(sameBytes(range("a", 2), range("b", 0))).toBe(true);
  expect(sameBytes(range("a", 2), range("c", 0))).toBe(false);
  expect(sameBytes(range("a", 2), range("b", 0, 3))).toBe(false);
});

test("a range beyond a file's end is undetermined", () => {
  const range = ranges();
  expect(sameBytes(range("a", 2), range("b", 4))).toBeUndefined();
});

test("finds a difference in the last of many bytes", () => {
  const length = 3 * 2 ** 20 + 5;
  const long = temporaryDirectory({ a: "x".repeat(length), b: `${"x".repeat(length - 1)}y` });
  const whole = (name: string) => ({ file: join(long, name), offset: 0, bytes: length });
  expect(sameBytes(whole("a"), whole("b"))).toBe(false);
});

test("leaves no file open", () => {
  const range = ranges();
  /** The system assigns the lowest free number. */
  const lowestFree = (): number[] => {
    const descriptors = [1, 2, 3].map(() => openSync(range("c", 0).file, "r"));
    for (const descriptor of descriptors) closeSync(descriptor);
    return descriptors;
  };
  const before = lowestFree();
  sameBytes(range("a", 2), range("b", 0));
  sameBytes(range("a", 2), range("b", 4));
  expect(lowestFree()).toEqual(before);
});
