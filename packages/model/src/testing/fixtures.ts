import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readSafetensorsHeader } from "../checkpoint/safetensors.js";
import { closeFile, openFile } from "../weights/read-at.js";

/** Directory of a checkpoint in test/fixtures/zoo. */
export function zooDirectory(name: string): string {
  return fileURLToPath(new URL(`../../../../test/fixtures/zoo/${name}`, import.meta.url));
}

/**
 * The kind of a zoo checkpoint, as in `golden.json`; a bare one is an encoder without a head. XLNet is causal there,
 * after the name of its class, but the graph here is bidirectional.
 */
export type ZooKind = "bare" | "causal" | "masked" | "seq2seq";

/** Names of the checkpoints in test/fixtures/zoo, all or of some kinds. */
export function zooNames(...kinds: readonly ZooKind[]): string[] {
  const isAsked = (name: string): boolean => {
    const { kind } = JSON.parse(readFileSync(`${zooDirectory(name)}/golden.json`, "utf8")) as {
      kind: ZooKind;
    };
    return kinds.includes(name === "xlnet" ? "masked" : kind);
  };
  const names = readdirSync(zooDirectory("")).sort();
  return kinds.length === 0 ? names : names.filter(isAsked);
}

/** Names of the zoo's encoders, with a head or without. */
export function zooEncoders(): string[] {
  return zooNames("masked", "bare");
}

/** Directory of the embedded default model. */
export const shakespeareDirectory = fileURLToPath(
  new URL("../../../cli/models/shakespeare-llama", import.meta.url),
);

interface Golden {
  /** `[2][12]`. */
  readonly inputIds: number[][];
  /** The output that the reference is of: that of a bare encoder is its hidden state, which counts as logits here. */
  readonly output: "logits" | "last_hidden_state";
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
  const output = tensors.has("logits") ? "logits" : "last_hidden_state";
  return {
    inputIds: perToken("input_ids"),
    output,
    logits: new Float32Array(buffer(output)),
    vocabulary: tensors.get(output)!.dims[2]!,
    padded: tensors.has(`${output}_padded`)
      ? {
          mask: perToken("attention_mask_padded"),
          logits: new Float32Array(buffer(`${output}_padded`)),
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
