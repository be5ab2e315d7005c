import { spawnSync } from "node:child_process";
import fs, { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { ScratchFolder } from "./scratch-folder.js";

test("a scratch folder is only accessible to its owner, and removed when it is disposed of", () => {
  const path = temporaryDirectory();
  {
    using scratch = ScratchFolder.create(1000, [{ path }]);
    expect(statSync(scratch!.path).mode & 0o777).toBe(0o700);
  }
  expect(readdirSync(path)).toEqual([]);
});

test("the first place with room is used", () => {
  const [small, large] = [temporaryDirectory(), temporaryDirectory()];
  using scratch = ScratchFolder.create(1000, [
    { path: join(small, "not there") },
    { path: small, most: 999 },
    { path: large },
  ]);
  expect(scratch!.path.startsWith(large)).toBe(true);
});

test("there is no scratch folder if no place has room", () => {
  expect(ScratchFolder.create(2 ** 60, [{ path: temporaryDirectory() }])).toBeUndefined();
});

test("a folder whose files are still mapped, which some systems do not remove, is left to a later load", () => {
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

test("removes the remains of a killed process, but not the folder of a running one", () => {
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

test("does not remove the folder of another program whose name ends alike", () => {
  const path = temporaryDirectory();
  const { pid: ended } = spawnSync(process.execPath, ["--version"]);
  const theirs = join(path, `ringworm-load-${hostname()}-${ended}-x`);
  mkdirSync(theirs);
  using _scratch = ScratchFolder.create(1000, [{ path }]);
  expect(existsSync(theirs)).toBe(true);
});

test("does not remove the folder of a process on a machine whose name starts with this one's", () => {
  const path = temporaryDirectory();
  const { pid: ended } = spawnSync(process.execPath, ["--version"]);
  const theirs = join(path, `ringrank-load-${hostname()}-${ended}-${process.pid}-x`);
  mkdirSync(theirs);
  using _scratch = ScratchFolder.create(1000, [{ path }]);
  expect(existsSync(theirs)).toBe(true);
});
