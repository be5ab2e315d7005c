import { chmodSync, chownSync, existsSync, mkdirSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { defaultCacheDirectory, privateDirectory } from "./cache-directory.js";

test("the cache is in RINGRANK_CACHE, else in the user's cache directory", () => {
  expect(defaultCacheDirectory({ RINGRANK_CACHE: "/a", XDG_CACHE_HOME: "/b" })).toBe("/a");
  expect(defaultCacheDirectory({ XDG_CACHE_HOME: "/b" })).toBe("/b/ringrank");
  expect(defaultCacheDirectory({ XDG_CACHE_HOME: "relative" })).toMatch(/\.cache.ringrank$/);
});

test("creates a missing directory, accessible to its owner only", () => {
  const path = join(temporaryDirectory(), "a", "b");
  expect(statSync(privateDirectory(path)).mode & 0o777).toBe(0o700);
});

test.runIf(existsSync("/proc/self"))(
  "refuses a place where the system cannot create directories, at once",
  () => {
    expectCode("RR_CACHE", () => privateDirectory("/proc/ringrank"));
  },
);

test("refuses a file", () => {
  const parent = temporaryDirectory({ "a file": "" });
  expectCode("RR_CACHE", () => privateDirectory(join(parent, "a file")));
});

test("refuses a link, wherever it leads", () => {
  const parent = temporaryDirectory();
  mkdirSync(join(parent, "real"), { mode: 0o700 });
  symlinkSync(join(parent, "real"), join(parent, "link"));
  expectCode("RR_CACHE", () => privateDirectory(join(parent, "link")));
});

test.each([0o701, 0o740, 0o755])("refuses a directory that others may enter or read (mode %o)", (mode) => {
  const path = temporaryDirectory();
  chmodSync(path, mode);
  const { message } = expectCode("RR_CACHE", () => privateDirectory(path));
  expect(message).toContain(`got mode 0${mode.toString(8)}`);
});

/** A directory, accessible to its owner only, who is not this process's user. */
function anotherUsers(): string {
  // A user who cannot give away a directory does not own the root directory.
  if (process.getuid?.() !== 0) return "/";
  const path = temporaryDirectory();
  chownSync(path, 65534, 65534);
  return path;
}

test.skipIf(process.getuid === undefined)("refuses another user's directory", () => {
  const { message } = expectCode("RR_CACHE", () => privateDirectory(anotherUsers()));
  expect(message).toContain("got another user's");
});

test("returns the real path of a directory below a link, since sessions refuse files that are elsewhere than they seem", () => {
  const parent = temporaryDirectory();
  mkdirSync(join(parent, "real", "cache"), { recursive: true, mode: 0o700 });
  symlinkSync(join(parent, "real"), join(parent, "link"));
  expect(privateDirectory(join(parent, "link", "cache"))).toBe(join(parent, "real", "cache"));
});
