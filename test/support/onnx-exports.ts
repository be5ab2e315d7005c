import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Graph, TensorData } from "@ringrank/model";
import { ShardReader } from "@ringrank/model/weights";
import { readSafetensorsHeader } from "../../packages/model/src/checkpoint/index.js";
import { closeFile, openFile } from "../../packages/model/src/weights/read-at.js";
import type { EmulatedTensor } from "./emulate.js";

/**
 * Where exports and what transformers computed for them lie: `onnx/<name>/*.onnx` and
 * `zoo/<name>/golden.safetensors`. `RINGRANK_FIXTURES` names a larger folder of that layout.
 */
const fixtures = process.env.RINGRANK_FIXTURES ?? fileURLToPath(new URL("../fixtures", import.meta.url));

/** One file of an exporter. */
export interface OnnxExport {
  /** `gpt2/dynamo`. */
  readonly name: string;
  readonly path: string;
  /** Folder of what transformers computed for the model. */
  readonly reference: string;
}

/** Every export in the fixtures. */
export function onnxExports(): OnnxExport[] {
  const root = join(fixtures, "onnx");
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => exportsOf(root, name))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function exportsOf(root: string, model: string): OnnxExport[] {
  const files = readdirSync(join(root, model)).filter((file) => file.endsWith(".onnx"));
  return files.map((file) => ({
    name: `${model}/${file.slice(0, -".onnx".length)}`,
    path: join(root, model, file),
    reference: join(fixtures, "zoo", model),
  }));
}

/** What transformers computed, by name: `input_ids`, `logits`, … */
export function readReference({ reference }: OnnxExport): ReadonlyMap<string, EmulatedTensor> {
  const path = join(reference, "golden.safetensors");
  if (!existsSync(path)) throw new Error(`an export needs its reference, ${path}`);
  const file = openFile(path);
  const { tensors } = readSafetensorsHeader(file);
  closeFile(file);
  using reader = new ShardReader();
  const entries = [...tensors].map(([name, { dtype, dims, offset }]): [string, EmulatedTensor] => {
    const type = dtype === "I64" ? "int64" : "float32";
    const weight = { type, dims, source: { kind: "file", file: path, offset, storedAs: type } } as const;
    const selection = dims.map((size) => [[0, size] as const]);
    return [name, { type, dims, data: reader.read({ weight, selection, dims }) }];
  });
  return new Map(entries);
}

/** The reference's inputs for an export; every token counts. */
export function referenceInputs(
  graph: Graph,
  reference: ReadonlyMap<string, EmulatedTensor>,
): Record<string, EmulatedTensor> {
  const ids = reference.get("input_ids")!;
  const ones = new BigInt64Array(ids.data.length).fill(1n);
  const inputs = graph.inputs.map(({ name }): [string, EmulatedTensor] => [
    name,
    reference.get(name) ?? (name.includes("mask") ? { ...ids, data: ones } : ids),
  ]);
  return Object.fromEntries(inputs);
}

/** Token ids for other sizes than the reference's, the last token of every row after the first masked. */
export function otherInputs(graph: Graph, batch: number, length: number): Record<string, EmulatedTensor> {
  const inputs = graph.inputs.map(({ name }): [string, EmulatedTensor] => {
    const isMask = name.includes("mask");
    const data: TensorData = BigInt64Array.from({ length: batch * length }, (_, index) => {
      const isLast = index >= length && index % length === length - 1;
      return BigInt(isMask ? Number(!isLast) : 3 + ((7 * index + name.length) % 200));
    });
    return [name, { type: "int64", dims: [batch, length], data }];
  });
  return Object.fromEntries(inputs);
}
