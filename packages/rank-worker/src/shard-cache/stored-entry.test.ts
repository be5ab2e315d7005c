import { existsSync, readdirSync, renameSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { checksumOf } from "./checksum.js";
import type { Manifest } from "./manifest.js";
import { commitEntry, StoredEntry } from "./stored-entry.js";

/** The manifest of an entry with these files. */
function manifestOf(files: Readonly<Record<string, Uint8Array>>): Manifest {
  const described = Object.entries(files).map(([path, bytes]) => {
    return { path, bytes: bytes.length, checksum: checksumOf(bytes) };
  });
  const bytes = described.reduce((sum, file) => sum + file.bytes, 0);
  return { model: "/m", bits: [4], rank: 0, worldSize: 1, bytes, files: described };
}

/** A new entry with these files, by their paths in it. */
function entryOf(files: Readonly<Record<string, Uint8Array>>): string {
  const staging = temporaryDirectory(files);
  const path = join(temporaryDirectory(), "entry");
  commitEntry(staging, path, manifestOf(files));
  return path;
}

const bytes = Uint8Array.of(1, 2, 3, 0);

test("a file is read if it is as it was written", () => {
  const into = new Uint8Array(4);
  const entry = StoredEntry.open(entryOf({ plan: bytes }))!;
  entry.read("plan", into);
  expect([entry.bytesOf("plan"), into]).toEqual([4, bytes]);
});

test("an entry that does not exist is undefined", () => {
  expect(StoredEntry.open(join(temporaryDirectory(), "entry"))).toBeUndefined();
});

test.each<[string, Uint8Array, string]>([
  ["other bytes", Uint8Array.of(1, 2, 4, 0), "the checksum is another"],
  ["lost the zeros at its end, which do not affect its checksum", bytes.subarray(0, 3), "of 4 bytes, got 3"],
])("refuses to read or verify a file that has %s", (_, found, message) => {
  const path = entryOf({ plan: bytes });
  writeFileSync(join(path, "plan"), found);
  expect(() => StoredEntry.open(path)!.read("plan", new Uint8Array(4))).toThrow(message);
  expect(() => StoredEntry.open(path)!.verify(() => true)).toThrow(message);
});

test("refuses a file of another size than expected, and one that is not in the manifest", () => {
  const entry = StoredEntry.open(entryOf({ plan: bytes }))!;
  expect(() => entry.read("plan", new Uint8Array(5))).toThrow("expected 5 bytes in plan, got 4");
  expect(() => entry.read("0/0", bytes)).toThrow("expected a file 0/0");
});

test("verifies only the wanted files: whoever reads another one later does it then", () => {
  const path = entryOf({ "0/0": bytes, "kept/0": bytes });
  writeFileSync(join(path, "kept", "0"), "");
  StoredEntry.open(path)!.verify((file) => file === "0/0");
});

test.runIf(existsSync("/proc/self/fd"))("closes a refused file", () => {
  const path = entryOf({ plan: bytes });
  writeFileSync(join(path, "plan"), "");
  const entry = StoredEntry.open(path)!;
  const open = readdirSync("/proc/self/fd").length;
  for (let time = 0; time < 10; time++) expect(() => entry.verify(() => true)).toThrow("got 0");
  expect(readdirSync("/proc/self/fd").length).toBe(open);
});

test("refuses an entry that is a link, or contains one, since others could change its contents", () => {
  const refusal = new Map([
    ["0/0", "ELOOP"],
    ["0", "expected a directory, not a link"],
    ["manifest.json", "ELOOP"],
    ["", "expected a directory, not a link"],
  ]);
  for (const [name, message] of refusal) {
    const path = entryOf({ "0/0": bytes });
    StoredEntry.open(path)!.verify(() => true);
    const found = join(path, name);
    const moved = join(temporaryDirectory(), "moved");
    renameSync(found, moved);
    symlinkSync(moved, found);
    expect(() => StoredEntry.open(path)!.verify(() => true), name).toThrow(message);
  }
});

test.each<[string, object]>([
  ["no model", { model: undefined }],
  ["an invalid number of ranks", { worldSize: "2" }],
  ["an invalid rank", { rank: 0.5 }],
  ["no size", { bytes: null }],
  ["no bits", { bits: 4 }],
  ["no list of files", { files: {} }],
  ["an invalid file", { files: [null] }],
  ["a file outside the entry", { files: [{ path: "../plan", bytes: 3, checksum: "" }] }],
  ["a file without a size", { files: [{ path: "plan", bytes: "3", checksum: "" }] }],
  ["a file without a checksum", { files: [{ path: "plan", bytes: 3 }] }],
])("refuses a manifest with %s", (_, wrong) => {
  const path = entryOf({ plan: bytes });
  writeFileSync(join(path, "manifest.json"), JSON.stringify({ ...manifestOf({ plan: bytes }), ...wrong }));
  expect(() => StoredEntry.open(path)).toThrow("expected a manifest");
});

test("if two processes create an entry, the first one's stays", () => {
  const path = entryOf({ plan: bytes });
  const other = Uint8Array.of(9);
  commitEntry(temporaryDirectory({ plan: other }), path, manifestOf({ plan: other }));
  expect(StoredEntry.open(path)!.bytesOf("plan")).toBe(4);
});

test("failing to rename an entry is an error", () => {
  const path = join(temporaryDirectory(), "not there", "entry");
  expect(() => commitEntry(temporaryDirectory(), path, manifestOf({}))).toThrow("ENOENT");
});

test("a manifest is only accessible to its owner", () => {
  expect(statSync(join(entryOf({}), "manifest.json")).mode & 0o777).toBe(0o600);
});
