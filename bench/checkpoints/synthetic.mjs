import { createHash } from "node:crypto";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { buildGraph } from "@ringrank/model";
import { fillOnes, RandomWeights } from "./random-weights.mjs";

/** Elements in memory at a time. */
const chunkElements = 4 * 1024 * 1024;

/**
 * Creates, unless it exists under `cache`, a HuggingFace checkpoint of the config's shape with random weights
 * (config.json, model.safetensors in bf16). The architecture itself lists its tensors.
 *
 * @returns its directory
 */
export async function syntheticCheckpoint(config, cache) {
  const text = JSON.stringify({ ...config, torch_dtype: "bfloat16" }, undefined, 2);
  const name = `${config.model_type}-${createHash("sha256").update(text).digest("hex").slice(0, 12)}`;
  const directory = join(cache, name);
  if (await exists(join(directory, "config.json"))) return directory;
  const unfinished = `${directory}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  try {
    await writeSafetensors(join(unfinished, "model.safetensors"), tensorsOf(config));
    writeFileSync(join(unfinished, "config.json"), text);
    rmSync(directory, { recursive: true, force: true });
    renameSync(unfinished, directory);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    throw error;
  }
  return directory;
}

/** Name and sizes of every tensor of the config's checkpoint. */
function tensorsOf(config) {
  const { graph } = buildGraph({ config, tensors: undefined });
  return [...graph.weights]
    .filter(([, weight]) => weight.source.kind === "absent")
    .map(([name, { dims }]) => ({ name, dims, elements: dims.reduce((count, dim) => count * dim, 1) }));
}

/** https://huggingface.co/docs/safetensors: the header's length, the header, the tensors in its order. */
async function writeSafetensors(path, tensors) {
  let end = 0;
  const header = {};
  for (const { name, dims, elements } of tensors) {
    header[name] = { dtype: "BF16", shape: dims, data_offsets: [end, end + 2 * elements] };
    end += 2 * elements;
  }
  const json = JSON.stringify(header);
  // A multiple of 8, so that tensors are aligned.
  const bytes = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8, " "));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));

  const file = await open(path, "w");
  try {
    await file.appendFile(Buffer.concat([length, bytes]));
    const random = new RandomWeights();
    const chunk = new Uint16Array(chunkElements);
    for (const { name, elements } of tensors) {
      for (let from = 0; from < elements; from += chunkElements) {
        const part = chunk.subarray(0, Math.min(chunkElements, elements - from));
        if (isNormWeight(name)) fillOnes(part);
        else random.fill(part);
        await file.appendFile(new Uint8Array(part.buffer, 0, part.byteLength));
      }
    }
  } finally {
    await file.close();
  }
}

function isNormWeight(name) {
  return /(norm|ln_f)\.weight$/.test(name);
}

async function exists(path) {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
