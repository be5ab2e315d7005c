// Reassembles the exports of test/fixtures/exports, byte for byte what the tools wrote, in test/fixtures/assembled
// (which git ignores). Vitest runs it before the tests; test/fixtures/README.md explains.
import { createHash } from "node:crypto";
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { Checkpoint } from "./weights.mjs";

const fixtures = fileURLToPath(new URL("../../test/fixtures", import.meta.url));
const from = join(fixtures, "exports");
const to = join(fixtures, "assembled");
/** The suffix of an export that was taken apart. */
const restOf = ".rest.gz";

/** Vitest's global setup. */
export function setup() {
  const files = readdirSync(from, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name));
  const taken = paths.filter((path) => path.endsWith(restOf));
  const recipes = new Set(taken.map(recipeOf));
  for (const path of paths) {
    if (recipes.has(path)) continue;
    const target = join(to, relative(from, path).replace(restOf, ""));
    if (isNewer(target, path)) continue;
    mkdirSync(dirname(target), { recursive: true });
    // Renamed once complete: two test runs may do this at once.
    const unfinished = `${target}.${process.pid}`;
    if (taken.includes(path)) writeFileSync(unfinished, assemble(path));
    else copyFileSync(path, unfinished);
    renameSync(unfinished, target);
  }
}

const recipeOf = (rest) => rest.replace(restOf, ".json");

function isNewer(target, source) {
  const made = statSync(target, { throwIfNoEntry: false });
  return made !== undefined && made.mtimeMs >= statSync(source).mtimeMs;
}

/** The export whose own bytes are in the file `rest`. */
function assemble(rest) {
  const { checkpoint: path, sha256, weights } = JSON.parse(readFileSync(recipeOf(rest), "utf8"));
  const checkpoint = new Checkpoint(resolve(dirname(rest), path));
  const own = gunzipSync(readFileSync(rest));
  const parts = [];
  let [read, written] = [0, 0];
  for (const weight of weights) {
    const before = own.subarray(read, read + weight.at - written);
    const bytes = checkpoint.bytes(weight);
    parts.push(before, bytes);
    read += before.length;
    written += before.length + bytes.length;
  }
  const whole = Buffer.concat([...parts, own.subarray(read)]);
  if (createHash("sha256").update(whole).digest("hex") !== sha256) {
    throw new Error(
      `${rest} and ${path} do not make the export that was taken apart; was one of them changed?`,
    );
  }
  return whole;
}
