import { renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { fileIdentity, requireUnchanged } from "./file-identity.js";

const changes: readonly [string, (path: string) => void][] = [
  ["another length", (path) => writeFileSync(path, "longer")],
  ["another time", (path) => utimesSync(path, 1, 1)],
  [
    "another file in its place, of the same length and time",
    (path) => {
      writeFileSync(`${path}.new`, "same");
      utimesSync(`${path}.new`, 5, 5);
      renameSync(`${path}.new`, path);
    },
  ],
  ["nothing in its place", (path) => rmSync(path)],
];

it.each(changes)("a file's identity changes with %s", (_, change) => {
  const path = join(temporaryDirectory({ file: "same" }), "file");
  utimesSync(path, 5, 5);
  const before = [fileIdentity(path)];
  requireUnchanged(before);
  change(path);
  expect(expectCode("RR_FILE_FORMAT", () => requireUnchanged(before)).message).toContain(path);
});

it("a file that does not exist has no identity", () => {
  expectCode("RR_MISSING_FILE", () => fileIdentity(join(temporaryDirectory(), "file")));
});
