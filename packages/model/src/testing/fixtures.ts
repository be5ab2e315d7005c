import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readSafetensorsHeader } from "../checkpoint/safetensors.js";
import { closeFile, openFile } from "../weights/read-at.js";

/** Directory of a checkpoint in test/fixtures/zoo. */
export function zooDirectory(name: string): string {
  return fileURLToPath(new URL(`../../../../test/fixtures/zoo/${name}`, import.meta.url));
}

/**
 * The kind of a zoo checkpoint, as in `golden.json`. XLNet is causal there, after the name of its class, but the graph
 * here is bidirectional.
 */
export type ZooKind = "causal" | "masked" | "seq2seq";

/** Names of the checkpoints in test/fixtures/zoo, all or of one kind. */
export function zooNames(kind?: ZooKind): string[] {
  const isOfKind = (name: string): boolean => {
    const golden = JSON.parse(readFileSync(`${zooDirectory(name)}/golden.json`, "utf8")) as { kind: string };
    return (name === "xlnet" ? "masked" : golden.kind) === kind;
  };
  const names = readdirSync(zooDirectory("")).sort();
  return kind === undefined ? names : names.filter(isOfKind);
}

/** Directory of the embedded default model. */
export const shakespeareDirectory = fileURLToPath(
  new URL("../../../cli/models/shakespeare-llama", import.meta.url),
);

interface Golden {
  /** `[2][12]`. */
  readonly inputIds: number[][];
  /** `[2, 12, vocabulary]`; for an encoder–decoder `[2, 7, vocabulary]`. */
  readonly logits: Float32Array;
  readonly vocabulary: number;
  /** The logits if some of `inputIds` are padding; `mask` is `[2][12]`. */
  readonly padded: { readonly mask: number[][]; readonly logits: Float32Array } | undefined;
  /** Of an encoder–decoder: the decoder's input, `[2][7]`, for which `logits` are; and the encoder's output. */
  readonly target: { readonly inputIds: number[][]; readonly encoderHidden: Float32Array } | undefined;
}

/** What transformers computed for a zoo checkpoint. */
export function readGolden(name: string): Golden {
  const path = `${zooDirectory(name)}/golden.safetensors`;
  const file = openFile(path);
  const { tensors } = readSafetensorsHeader(file);
  closeFile(file);
  const bytes = readFileSync(path);
  const buffer = (tensor: string): ArrayBuffer => {
    const { offset, bytes: length } = tensors.get(tensor)!;
    return new Uint8Array(bytes.subarray(offset, offset + length)).buffer;
  };
  const perToken = (tensor: string): number[][] => {
    const [batch, length] = tensors.get(tensor)!.dims;
    const flat = Array.from(new BigInt64Array(buffer(tensor)), Number);
    return Array.from({ length: batch! }, (_, row) => flat.slice(row * length!, (row + 1) * length!));
  };
  return {
    inputIds: perToken("input_ids"),
    logits: new Float32Array(buffer("logits")),
    vocabulary: tensors.get("logits")!.dims[2]!,
    padded: tensors.has("logits_padded")
      ? {
          mask: perToken("attention_mask_padded"),
          logits: new Float32Array(buffer("logits_padded")),
        }
      : undefined,
    target: tensors.has("decoder_input_ids")
      ? {
          inputIds: perToken("decoder_input_ids"),
          encoderHidden: new Float32Array(buffer("encoder_last_hidden_state")),
        }
      : undefined,
  };
}

/** The project's tolerance for all models: fp32 sums in another order differ by about 1e-6 standard deviations. */
export function modelTolerance(expected: Float32Array): { readonly rtol: number; readonly atol: number } {
  return { rtol: 0, atol: 1e-4 * standardDeviation(expected) };
}

export function standardDeviation(values: Float32Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
