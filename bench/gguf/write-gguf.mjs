import { open, rename } from "node:fs/promises";
import { buildGraph, openCheckpoint } from "@ringrank/model";
import { ShardReader } from "@ringrank/model/weights";
import { architectures, tensorName } from "./architectures.mjs";
import { blockElements, blockTypes, encodeBlocks } from "./blocks.mjs";

/** Elements in memory at a time. */
const chunkElements = 4 * 1024 * 1024;
const alignment = 32;

/** The type numbers of metadata (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md). */
const valueTypes = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9 };

/**
 * Writes a checkpoint as GGUF, for llama.cpp.
 *
 * @param types block types (F32, Q8_0, Q4_0) of matrices, and of the one that computes the logits
 * @throws if llama.cpp's name of a tensor is unknown
 */
export async function writeGguf(checkpoint, path, types) {
  const { config } = openCheckpoint(checkpoint);
  const architecture = architectures[config.model_type];
  if (architecture === undefined) {
    throw new Error(
      `expected a model_type of ${Object.keys(architectures).join(", ")}, got ${config.model_type}`,
    );
  }
  const tensors = tensorsOf(checkpoint, config, architecture, types);
  const unfinished = `${path}.${process.pid}`;
  const file = await open(unfinished, "w");
  const reader = new ShardReader();
  try {
    await file.appendFile(header({ ...metadata(config), ...architecture.metadata(config) }, tensors));
    for (const tensor of tensors) await appendTensor(file, tensor, reader);
  } finally {
    reader[Symbol.dispose]();
    await file.close();
  }
  await rename(unfinished, path);
}

function tensorsOf(checkpoint, config, architecture, types) {
  const { graph } = buildGraph(openCheckpoint(checkpoint));
  let offset = 0;
  return [...graph.weights]
    .filter(([, weight]) => weight.source.kind === "file")
    .map(([key, weight]) => {
      const { module, name } = tensorName(architecture, key);
      const type = typeOf(module, weight, config, types);
      const { elements, bytes } = blockTypes[type];
      const size = (weight.dims.reduce((count, dim) => count * dim, 1) / elements) * bytes;
      const tensor = { name, weight, type, offset, size, rows: architecture.rows(module, config) };
      offset += size + paddingAfter(size);
      return tensor;
    });
}

/** Vectors stay float32, as in other converters; so do matrices whose rows are not whole blocks. */
function typeOf(module, { dims }, config, { matrices, head }) {
  if (dims.length === 1 || dims.at(-1) % blockElements !== 0) return "F32";
  return module === (config.tie_word_embeddings ? "token_embd" : "output") ? head : matrices;
}

/** The metadata that llama.cpp requires of every model. */
function metadata(config) {
  return {
    "general.architecture": { type: "string", value: config.model_type },
    "general.name": { type: "string", value: "random weights" },
    "general.alignment": { type: "uint32", value: alignment },
    ...vocabulary(config.vocab_size),
  };
}

/**
 * The benchmark's tokens are numbers, but node-llama-cpp requires a vocabulary: a SentencePiece one, with the bytes
 * where Llama has them, and other tokens to fill it.
 */
function vocabulary(size) {
  const special = ["<unk>", "<s>", "</s>"];
  const bytes = Array.from(
    { length: 256 },
    (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
  );
  const first = [...special, ...bytes];
  const tokens = Array.from({ length: size }, (_, id) => first[id] ?? `token${id}`);
  const typeOf = (id) => (id === 0 ? 2 : id < special.length ? 3 : id < first.length ? 6 : 1);
  return {
    "tokenizer.ggml.model": { type: "string", value: "llama" },
    "tokenizer.ggml.tokens": { type: "array", of: "string", value: tokens },
    "tokenizer.ggml.scores": { type: "array", of: "float32", value: tokens.map((_, id) => -id) },
    "tokenizer.ggml.token_type": { type: "array", of: "int32", value: tokens.map((_, id) => typeOf(id)) },
    "tokenizer.ggml.bos_token_id": { type: "uint32", value: 1 },
    "tokenizer.ggml.eos_token_id": { type: "uint32", value: 2 },
    "tokenizer.ggml.unknown_token_id": { type: "uint32", value: 0 },
    "tokenizer.ggml.add_bos_token": { type: "bool", value: false },
  };
}

function header(metadata, tensors) {
  const parts = [Buffer.from("GGUF"), u32(3), u64(tensors.length), u64(Object.keys(metadata).length)];
  for (const [key, entry] of Object.entries(metadata)) {
    parts.push(string(key), u32(valueTypes[entry.type]), encodeValue(entry));
  }
  for (const { name, weight, type, offset } of tensors) {
    // Dimensions are listed from the innermost to the outermost.
    const dims = [...weight.dims].reverse();
    parts.push(string(name), u32(dims.length), ...dims.map(u64), u32(blockTypes[type].id), u64(offset));
  }
  const bytes = Buffer.concat(parts);
  return Buffer.concat([bytes, Buffer.alloc(paddingAfter(bytes.length))]);
}

async function appendTensor(file, { weight, type, size, rows }, reader) {
  const [count, ...rest] = weight.dims;
  const rowElements = rest.reduce((product, dim) => product * dim, 1);
  // A vector is one row; a permuted matrix is read whole, since its rows come from anywhere.
  const step = rows === undefined ? Math.max(1, Math.floor(chunkElements / rowElements)) : count;
  for (let row = 0; row < count; row += step) {
    const end = Math.min(row + step, count);
    const dims = [end - row, ...rest];
    const selection = dims.map((dim, axis) => (axis === 0 ? [[row, end]] : [[0, dim]]));
    const values = reader.read({ weight, selection, dims });
    await file.appendFile(encodeBlocks(type, rows === undefined ? values : permuted(values, count, rows)));
  }
  await file.appendFile(Buffer.alloc(paddingAfter(size)));
}

function permuted(values, count, rows) {
  const width = values.length / count;
  const out = new Float32Array(values.length);
  for (let row = 0; row < count; row++) {
    const from = rows(row) * width;
    out.set(values.subarray(from, from + width), row * width);
  }
  return out;
}

function encodeValue({ type, of, value }) {
  if (type === "array") {
    const items = value.map((item) => encodeValue({ type: of, value: item }));
    return Buffer.concat([u32(valueTypes[of]), u64(value.length), ...items]);
  }
  if (type === "string") return string(value);
  if (type === "bool") return Buffer.from([value ? 1 : 0]);
  const bytes = Buffer.alloc(4);
  if (type === "float32") bytes.writeFloatLE(value);
  else if (type === "int32") bytes.writeInt32LE(value);
  else bytes.writeUInt32LE(value);
  return bytes;
}

function string(text) {
  const bytes = Buffer.from(text);
  return Buffer.concat([u64(bytes.length), bytes]);
}

function u32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function paddingAfter(size) {
  return (alignment - (size % alignment)) % alignment;
}
