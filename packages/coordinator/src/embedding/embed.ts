import { RingrankError } from "@ringrank/errors";
import { interfaceNames } from "@ringrank/model/serving";
import type { InputValue } from "../inputs/inputs.js";
import type { CheckedEmbedOptions } from "../options/embed-options.js";
import type { Tensor, TensorOf } from "../tensor.js";
import { batchesByLength, paddedBatch } from "./batches.js";
import { normalized, pool } from "./pool.js";

/**
 * Embeds sequences of token ids, batch by batch, so that other calls get their turns in between.
 *
 * @param run returns the model's hidden states for a batch
 * @param hasMask whether the model has an attention mask, without which no sequence is padded
 * @returns float32 `[sequences, lanes]`, in the order of `sequences`
 * @throws RR_TYPE if hidden states are not float32 `[batch, sequence, lanes]`, and what `run` throws
 */
export async function embed(
  sequences: readonly (readonly number[])[],
  run: (inputs: Readonly<Record<string, InputValue>>) => Promise<Tensor | undefined>,
  { pooling, normalize }: Pick<CheckedEmbedOptions, "pooling" | "normalize">,
  hasMask = true,
): Promise<TensorOf<"float32">> {
  const embeddings: Float32Array[] = new Array(sequences.length);
  for (const batch of batchesByLength(lengthsOf(sequences), hasMask)) {
    const rows = batch.map((index) => sequences[index]!);
    const { ids, mask } = paddedBatch(rows);
    const { inputIds, attentionMask } = interfaceNames;
    const hidden = await run({ [inputIds]: ids, ...(hasMask && { [attentionMask]: mask }) });
    if (hidden?.type !== "float32" || hidden.dims.length !== 3) {
      const got = hidden === undefined ? "none" : `${hidden.type} [${hidden.dims.join(", ")}]`;
      throw new RingrankError(
        "RR_TYPE",
        `expected ${interfaceNames.lastHiddenState} to be float32 [batch, sequence, lanes], got ${got}`,
      );
    }
    for (const [at, vector] of pool(hidden, lengthsOf(rows), pooling).entries()) {
      embeddings[batch[at]!] = normalize ? normalized(vector) : vector;
    }
  }
  const lanes = embeddings[0]?.length ?? 0;
  const data = new Float32Array(embeddings.length * lanes);
  for (const [at, vector] of embeddings.entries()) data.set(vector, at * lanes);
  return { type: "float32", dims: [embeddings.length, lanes], data };
}

function lengthsOf(sequences: readonly (readonly number[])[]): number[] {
  return sequences.map((ids) => ids.length);
}
