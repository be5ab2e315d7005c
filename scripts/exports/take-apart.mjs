// Takes the weights that an export shares with its checkpoint out of the export, so that they are kept once:
//
//   node scripts/exports/take-apart.mjs <export> <checkpoint.safetensors> <folder>
//
//   <folder>/model.onnx.rest.gz   the export without those bytes, compressed
//   <folder>/model.onnx.json      which bytes they were; scripts/exports/assemble.mjs puts them back
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { Checkpoint } from "./weights.mjs";

/** Describing smaller ones takes more space than it saves. */
const smallest = 1024;

const [path, checkpointPath, folder] = process.argv.slice(2);
const whole = readFileSync(path);
const shared = findShared(whole, new Checkpoint(checkpointPath));
const rest = shared.reduceRight(
  (bytes, { at, length }) => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]),
  whole,
);
const recipe = {
  checkpoint: relative(folder, checkpointPath),
  sha256: createHash("sha256").update(whole).digest("hex"),
  weights: shared.map(({ length: _, ...weight }) => weight),
};
writeFileSync(join(folder, `${basename(path)}.rest.gz`), gzipSync(rest, { level: 9 }));
writeFileSync(join(folder, `${basename(path)}.json`), `${JSON.stringify(recipe, undefined, 1)}\n`);
process.stdout.write(`${path}: ${whole.length} bytes, ${rest.length} of its own\n`);

/** Every place where the bytes of a weight are found, in order; the longer of two that overlap. */
function findShared(bytes, checkpoint) {
  const found = [];
  const overlaps = (at, length) => found.some((one) => at < one.at + one.length && one.at < at + length);
  const sought = candidates(checkpoint)
    .map((weight) => ({ ...weight, needle: checkpoint.bytes(weight) }))
    .filter(({ needle }) => needle.length >= smallest)
    .sort((a, b) => b.needle.length - a.needle.length);
  for (const { needle, ...weight } of sought) {
    for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + 1)) {
      if (!overlaps(at, needle.length)) found.push({ at, ...weight, length: needle.length });
    }
  }
  return found.sort((a, b) => a.at - b.at);
}

/** Each tensor, and the query, key and value of a layer as the single matrix into which some tools combine them. */
function candidates(checkpoint) {
  const { names } = checkpoint;
  const alone = names.map((name) => [name]);
  const fused = names.flatMap((name) => {
    const others = ["k", "v"].map((letter) => name.replace(/\bq(?=_proj\b|\.)/, letter));
    const spelled = ["key", "value"].map((word) => name.replace(/\bquery\b/, word));
    return [others, spelled]
      .map((more) => [name, ...more])
      .filter(([first, second, third]) => {
        return first !== second && names.includes(second) && names.includes(third);
      });
  });
  return [...alone, ...fused].flatMap((tensors) => {
    const isMatrix = checkpoint.shape(tensors[0]).length === 2;
    return isMatrix ? [{ tensors }, { tensors, transposed: true }] : [{ tensors }];
  });
}
