import { RingrankError } from "@ringrank/errors";
import { interfaceNames } from "@ringrank/model/serving";
import type { InputValue } from "../inputs/inputs.js";
import { optionError } from "../options/check.js";
import type { Tensor, TensorOf } from "../tensor.js";
import { batchesByLength, paddedBatch } from "./batches.js";
import type { VectorSteps } from "./embedder.js";
import { pool } from "./pool.js";

/** The token ids of a text. */
export interface EmbeddedText {
  readonly ids: readonly number[];
  /** How many of them, at the beginning, are read and not pooled. */
  readonly skipped: number;
}

/** What the model computes. */
export interface EmbeddingModel {
  /** The hidden states of a batch. */
  hidden(inputs: Readonly<Record<string, InputValue>>): Promise<Tensor | undefined>;
  /** What the model's matrices make of vectors. */
  project(pooled: TensorOf<"float32">): Promise<TensorOf<"float32">>;
  /** Whether it has an attention mask, without which no sequence is padded. */
  readonly hasMask: boolean;
}

/**
 * Embeds texts, batch by batch, so that other calls get their turns in between.
 *
 * @returns float32 `[texts, lanes]`, in the order of `texts`
 * @throws RR_TYPE if hidden states are not float32 `[batch, sequence, lanes]`; RR_OPTION if a pooling makes vectors of
 * another length than the model multiplies; and what the model throws
 */
export async function embed(
  texts: readonly EmbeddedText[],
  model: EmbeddingModel,
  { pooling, projected, last }: VectorSteps,
): Promise<TensorOf<"float32">> {
  const { hasMask } = model;
  const embeddings: Float32Array[] = new Array(texts.length);
  for (const batch of batchesByLength(lengthsOf(texts), hasMask)) {
    const rows = batch.map((index) => texts[index]!);
    const { ids, mask } = paddedBatch(rows.map((row) => row.ids));
    const { inputIds, attentionMask } = interfaceNames;
    const hidden = await model.hidden({ [inputIds]: ids, ...(hasMask && { [attentionMask]: mask }) });
    if (hidden?.type !== "float32" || hidden.dims.length !== 3) {
      const got = hidden === undefined ? "none" : `${hidden.type} [${hidden.dims.join(", ")}]`;
      throw new RingrankError(
        "RR_TYPE",
        `expected ${interfaceNames.lastHiddenState} to be float32 [batch, sequence, lanes], got ${got}`,
      );
    }
    const pooled = matrixOf(pool(hidden, rows, pooling));
    if (projected !== undefined && pooled.dims[1] !== projected) {
      throw optionError(
        "pooling",
        `one that makes vectors of ${projected}, which the model multiplies`,
        pooling,
      );
    }
    const vectors = projected === undefined ? pooled : await model.project(pooled);
    for (const [at, vector] of rowsOf(vectors).entries()) {
      embeddings[batch[at]!] = last.reduce((x, apply) => apply(x), vector);
    }
  }
  return matrixOf(embeddings);
}

/** Vectors of equal lengths as `[vectors, lanes]`. */
function matrixOf(vectors: readonly Float32Array[]): TensorOf<"float32"> {
  const lanes = vectors[0]?.length ?? 0;
  const data = new Float32Array(vectors.length * lanes);
  for (const [at, vector] of vectors.entries()) data.set(vector, at * lanes);
  return { type: "float32", dims: [vectors.length, lanes], data };
}

function rowsOf({ dims: [rows = 0, lanes = 0], data }: TensorOf<"float32">): Float32Array[] {
  return Array.from({ length: rows }, (_, row) => data.subarray(row * lanes, (row + 1) * lanes));
}

function lengthsOf(texts: readonly EmbeddedText[]): number[] {
  return texts.map(({ ids }) => ids.length);
}
