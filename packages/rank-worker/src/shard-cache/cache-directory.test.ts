import { chmodSync, existsSync, mkdirSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { defaultCacheDirectory, privateDirectory } from "./cache-directory.js";

test("the cache lies in RINGRANK_CACHE, else in the user's cache directory", () => {
  expect(defaultCacheDirectory({ RINGRANK_CACHE: "/a", XDG_CACHE_HOME: "/b" })).toBe("/a");
  expect(defaultCacheDirectory({ XDG_CACHE_HOME: "/b" })).toBe("/b/ringrank");
  expect(defaultCacheDirectory({ XDG_CACHE_HOME: "relative" })).toMatch(/\.cache.ringrank$/);
});

test("a directory that is not there is made for its owner alone", () => {
  const path = join(temporaryDirectory(), "a", "b");
  expect(statSync(privateDirectory(path)).mode & 0o777).toBe(0o700);
});

test.runIf(existsSync("/proc/self"))(
  "a place where the system makes no directories is refused at once",
  () => {
    expectCode("RR_CACHE", () => privateDirectory("/proc/ringrank"));
  },
);

test("a file is refused", () => {
  const parent = temporaryDirectory({ "a file": "" });
  expectCode("RR_CACHE", () => privateDirectory(join(parent, "a file")));
});

test("a link is refused, wherever it leads", () => {
  const parent = temporaryDirectory();
  mkdirSync(join(parent, "real"), { mode: 0o700 });
  symlinkSync(join(parent, "real"), join(parent, "link"));
  expectCode("RR_CACHE", () => privateDirectory(join(parent, "link")));
});

test("a directory that others may enter is refused", () => {
  const path = temporaryDirectory();
  chmodSync(path, 0o755);
  expect(expectCode("RR_CACHE", () => privateDirectory(path)).message).toContain("mode 0755");
});
