import { spawnSync } from "node:child_process";
import fs, { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { ScratchFolder } from "./scratch-folder.js";

test("a scratch folder is its owner's alone, and gone when disposed of", () => {
  const path = temporaryDirectory();
  {
    using scratch = ScratchFolder.create(1000, [{ path }]);
    expect(statSync(scratch!.path).mode & 0o777).toBe(0o700);
  }
  expect(readdirSync(path)).toEqual([]);
});

test("the first place with room is taken", () => {
  const [small, large] = [temporaryDirectory(), temporaryDirectory()];
  using scratch = ScratchFolder.create(1000, [
    { path: join(small, "not there") },
    { path: small, most: 999 },
    { path: large },
  ]);
  expect(scratch!.path.startsWith(large)).toBe(true);
});

test("there is none where nothing has the room", () => {
  expect(ScratchFolder.create(2 ** 60, [{ path: temporaryDirectory() }])).toBeUndefined();
});

test("a folder whose files are still mapped, which some systems do not remove, stays for a later load", () => {
  const path = temporaryDirectory();
  const { rmSync } = fs;
  const scratch = ScratchFolder.create(1000, [{ path }])!;
  fs.rmSync = () => {
    throw new Error("EBUSY: resource busy or locked");
  };
  syncBuiltinESMExports();
  try {
    scratch[Symbol.dispose]();
  } finally {
    fs.rmSync = rmSync;
    syncBuiltinESMExports();
  }
  expect(existsSync(scratch.path)).toBe(true);
});

test("what a killed process left is removed, what a running one has is not", () => {
  const path = temporaryDirectory();
  const { pid } = spawnSync(process.execPath, ["--version"]);
  const [abandoned, taken] = [pid, process.pid].map((id) => `ringrank-load-${hostname()}-${id}-x`) as [
    string,
    string,
  ];
  for (const name of [abandoned, taken]) mkdirSync(join(path, name));
  using _scratch = ScratchFolder.create(1000, [{ path }]);
  expect(existsSync(join(path, abandoned))).toBe(false);
  expect(existsSync(join(path, taken))).toBe(true);
});

test("what a process of a machine has whose name begins as this one's is not removed", () => {
  const path = temporaryDirectory();
  const { pid: ended } = spawnSync(process.execPath, ["--version"]);
  const theirs = join(path, `ringrank-load-${hostname()}-${ended}-${process.pid}-x`);
  mkdirSync(theirs);
  using _scratch = ScratchFolder.create(1000, [{ path }]);
  expect(existsSync(theirs)).toBe(true);
});
