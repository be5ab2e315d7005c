import { chmodSync, chownSync, existsSync, mkdirSync, statSync, symlinkSync } from "node:fs";
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

test.each([0o701, 0o740, 0o755])("a directory that others may enter or read (mode %o) is refused", (mode) => {
  const path = temporaryDirectory();
  chmodSync(path, mode);
  const { message } = expectCode("RR_CACHE", () => privateDirectory(path));
  expect(message).toContain(`got mode 0${mode.toString(8)}`);
});

/** A directory for its owner alone, who is not this process's user. */
function anotherUsers(): string {
  // Who may not give one away is not the owner of the root.
  if (process.getuid?.() !== 0) return "/";
  const path = temporaryDirectory();
  chownSync(path, 65534, 65534);
  return path;
}

test.skipIf(process.getuid === undefined)("another user's directory is refused", () => {
  const { message } = expectCode("RR_CACHE", () => privateDirectory(anotherUsers()));
  expect(message).toContain("got another user's");
});

test("a directory below a link is where it really is: sessions refuse files that are not where they seem", () => {
  const parent = temporaryDirectory();
  mkdirSync(join(parent, "real", "cache"), { recursive: true, mode: 0o700 });
  symlinkSync(join(parent, "real"), join(parent, "link"));
  expect(privateDirectory(join(parent, "link", "cache"))).toBe(join(parent, "real", "cache"));
});
