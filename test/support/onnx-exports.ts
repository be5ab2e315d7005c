import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Graph, TensorData } from "@ringrank/model";
import { ShardReader } from "@ringrank/model/weights";
import { readSafetensorsHeader } from "../../packages/model/src/checkpoint/safetensors.js";
import { closeFile, openFile } from "../../packages/model/src/weights/read-at.js";
import type { EmulatedTensor } from "./emulation/emulated-tensor.js";

/** The project's own fixtures; their exports are assembled before the tests run, see test/fixtures/README.md. */
const own = fileURLToPath(new URL("../fixtures", import.meta.url));
const exporters = join(own, "assembled");

/** The directory of a tool's assembled exports: `optimum/gpt2`. */
export function assembledExport(path: string): string {
  return join(exporters, path);
}

/** One file of an exporter. */
export interface OnnxExport {
  /** `gpt2/dynamo`. */
  readonly name: string;
  readonly path: string;
  /** The directory of the checkpoint and of transformers' results for it. */
  readonly reference: string;
  /**
   * The file that lists where the checkpoint's tensors are stored in the export; only the project's own fixtures have
   * it.
   */
  readonly recipe: string;
}

/** Every file of torch's two exporters among the project's own fixtures. */
export function fixtureExports(): OnnxExport[] {
  return exportsIn(join(exporters, "torch"), join(own, "zoo"));
}

/** Architectures for which `npm test` runs torch.export's file; for the others it runs the TorchScript one. */
const asDynamo = new Set(["bloom", "falcon-7b-like", "gptj", "llama", "roberta"]);

/**
 * The exports to run: `npm test` runs one file of each architecture, `npm run test:full` all of them.
 * `RINGRANK_FIXTURES` names another directory whose exports are all run: `onnx/<name>/*.onnx`, with the references in
 * `zoo/<name>`.
 */
export function onnxExports(): OnnxExport[] {
  const { RINGRANK_EXPORTS, RINGRANK_FIXTURES: other } = process.env;
  if (other !== undefined) return exportsIn(join(other, "onnx"), join(other, "zoo"));
  if (RINGRANK_EXPORTS === "all") return fixtureExports();
  return fixtureExports().filter(({ name }) => {
    const [model, exporter] = name.split("/") as [string, string];
    return asDynamo.has(model) === (exporter === "dynamo");
  });
}

function exportsIn(root: string, zoo: string): OnnxExport[] {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => exportsOf(root, name, join(zoo, name)))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function exportsOf(root: string, model: string, reference: string): OnnxExport[] {
  const files = readdirSync(join(root, model)).filter((file) => file.endsWith(".onnx"));
  return files.map((file) => ({
    name: `${model}/${file.slice(0, -".onnx".length)}`,
    path: join(root, model, file),
    reference,
    recipe: join(own, "exports/torch", model, `${file}.json`),
  }));
}

/** The place of bytes of a checkpoint in an export, as scripts/exports/take-apart.mjs writes it. */
export interface SharedWeight {
  /** Offset in the export. */
  readonly at: number;
  /** The checkpoint's tensors, concatenated along their first axis. */
  readonly tensors: readonly string[];
  readonly transposed?: boolean;
}

export function readRecipe(path: string): readonly SharedWeight[] {
  return (JSON.parse(readFileSync(path, "utf8")) as { weights: readonly SharedWeight[] }).weights;
}

/** The tensors of transformers' run, by name: `input_ids`, `logits`, … */
export function readReference({
  reference,
}: Pick<OnnxExport, "reference">): ReadonlyMap<string, EmulatedTensor> {
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

/** The reference's inputs for an export; no token is masked. */
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

/** Token ids for sizes other than the reference's, with the last token of every row after the first masked. */
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
