import { expect } from "vitest";
import { buildGraph } from "../architectures/index.js";
import { type JsonObject, openCheckpoint, type StoredTensor } from "../checkpoint/index.js";
import { elementCount } from "../weights/element-types.js";
import { readGolden, zooDirectory, zooNames } from "./fixtures.js";
import { integers, UnsplitModel } from "./unsplit-model.js";

/** By the name of a tensor that the zoo's checkpoint lacks: the one whose first values it gets, and its shape. */
export type Borrowed = Readonly<Record<string, readonly [from: string, dims: readonly number[]]>>;

/** A setting that no checkpoint of the zoo has, and its effect. */
export interface Setting {
  readonly changes: JsonObject;
  readonly borrowed?: Borrowed;
  /**
   * Logits of token 7 in the second row of the golden input, from its first token on; of an encoder without a head,
   * lane 7 of its hidden state. Computed by transformers 5.18 from the same tensors, and rounded to five decimals.
   */
  readonly expected: readonly number[];
}

/** Checks a setting of a zoo checkpoint; an encoder's with the golden padding. */
export async function expectSetting(
  name: string,
  { changes, borrowed = {}, expected }: Setting,
): Promise<void> {
  const { config, tensors } = openCheckpoint(zooDirectory(name));
  const stored = new Map(tensors);
  for (const [added, [from, dims]] of Object.entries(borrowed)) {
    stored.set(added, firstOf(tensors!.get(from)!, dims));
  }
  const { graph } = buildGraph({ config: { ...config, ...changes }, tensors: stored });
  const model = await UnsplitModel.load(zooDirectory(name), () => graph);
  const { inputIds, output, padded, vocabulary } = readGolden(name);
  const logits = zooNames("causal").includes(name)
    ? await model.start(2).step(inputIds)
    : (
        await model.run({
          input_ids: integers(inputIds.flat(), [2, 12]),
          attention_mask: integers(padded!.mask.flat(), [2, 12]),
        })
      )[output]!;
  const ofToken7 = (logits.data as Float32Array).filter((_, i) => i % vocabulary === 7);
  // The project's tolerance for all models: no setting's logits have a standard deviation below 0.9.
  expect(ofToken7.slice(12, 12 + expected.length)).toBeAllclose(expected, { rtol: 0, atol: 1e-4 });
  await model.release();
}

function firstOf(tensor: StoredTensor, dims: readonly number[]): StoredTensor {
  const share = elementCount(dims) / elementCount(tensor.dims);
  return { ...tensor, dims, bytes: share * tensor.bytes };
}
