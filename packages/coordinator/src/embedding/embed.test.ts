import type { PoolingMode } from "@ringrank/model";
import { describe, expect, it } from "vitest";
import type { InputValue } from "../inputs/inputs.js";
import type { Tensor } from "../tensor.js";
import { batchesByLength, paddedBatch } from "./batches.js";
import { type EmbeddingModel, embed } from "./embed.js";
import { Embedder } from "./embedder.js";
import { pool } from "./pool.js";

/** The state of a token is its id and its square; that of padding is far off. */
async function fakeRun(inputs: Readonly<Record<string, InputValue>>): Promise<Tensor> {
  const ids = inputs.input_ids as number[][];
  const mask = inputs.attention_mask as number[][];
  const states = ids.flatMap((row, at) =>
    row.flatMap((id, token) => (mask[at]![token] === 1 ? [id, id * id] : [1e6, 1e6])),
  );
  return { type: "float32", dims: [ids.length, ids[0]!.length, 2], data: Float32Array.from(states) };
}

const plain = (...sequences: number[][]) => sequences.map((ids) => ({ ids, skipped: 0 }));
const model = (hidden: EmbeddingModel["hidden"], hasMask = true): EmbeddingModel => ({
  hidden,
  project: async ({ dims, data }) => ({ type: "float32", dims, data: data.map((x) => -x) }),
  hasMask,
});
const mean = new Embedder(undefined).stepsOf({ pooling: "mean", normalize: false });

describe("embed", () => {
  it("returns the mean over each sequence's own tokens, in the given order", async () => {
    const embeddings = await embed(plain([4], [1, 2, 3], [2, 4]), model(fakeRun), mean);
    expect(embeddings.dims).toEqual([3, 2]);
    expect(embeddings.data).toBeAllclose([4, 16, 2, 14 / 3, 3, 10], { rtol: 1e-6, atol: 0 });
  });

  it("returns the first token's state for cls, and unit vectors if requested", async () => {
    const steps = new Embedder(undefined).stepsOf({ pooling: "cls", normalize: true });
    const { data } = await embed(plain([3, 9], [5]), model(fakeRun), steps);
    const expected = [3, 9]
      .map((x) => x / Math.hypot(3, 9))
      .concat([5, 25].map((x) => x / Math.hypot(5, 25)));
    expect(data).toBeAllclose(expected, { rtol: 1e-6, atol: 0 });
  });

  it("does not pad if the model has no mask", async () => {
    const given: InputValue[] = [];
    const run = async ({ input_ids, ...others }: Readonly<Record<string, InputValue>>): Promise<Tensor> => {
      expect(others).toEqual({});
      given.push(input_ids!);
      const ids = input_ids as number[][];
      return { type: "float32", dims: [ids.length, ids[0]!.length, 1], data: Float32Array.from(ids.flat()) };
    };
    const { data } = await embed(plain([4], [1, 2], [6], [3, 5]), model(run, false), mean);
    expect(given).toEqual([
      [
        [1, 2],
        [3, 5],
      ],
      [[4], [6]],
    ]);
    expect(data).toBeAllclose([4, 1.5, 6, 4], { rtol: 1e-6, atol: 0 });
  });

  it("refuses hidden states of another form", async () => {
    const flat = async (): Promise<Tensor> => ({ type: "float32", dims: [1, 2], data: new Float32Array(2) });
    await expect(embed(plain([1]), model(flat), mean)).rejects.toMatchObject({ code: "RR_TYPE" });
    await expect(
      embed(
        plain([1]),
        model(async () => undefined),
        mean,
      ),
    ).rejects.toMatchObject({ code: "RR_TYPE" });
  });

  it("has the model multiply pooled vectors before what comes last", async () => {
    const steps = { ...mean, projected: 2, last: [(vector: Float32Array) => vector.subarray(1)] };
    const { dims, data } = await embed(plain([1, 2, 3], [5]), model(fakeRun), steps);
    expect(dims).toEqual([2, 1]);
    expect(data).toBeAllclose([-14 / 3, -25], { rtol: 1e-6, atol: 0 });
  });

  it("refuses a pooling whose vectors are longer or shorter than those that the model multiplies", async () => {
    const message = expect.stringContaining("pooling: expected one that makes vectors of 4");
    const embedding = embed(plain([1]), model(fakeRun), { ...mean, projected: 4 });
    await expect(embedding).rejects.toMatchObject({ code: "RR_OPTION", message });
  });
});

describe("pooling", () => {
  const states = [1, 9, 3, 5, 8, 4];
  /** Three tokens of two lanes, and padding that is no number. */
  const hidden = { data: Float32Array.of(...states, Number.NaN, Number.NaN), dims: [1, 4, 2] };
  const one = (skipped: number) => [{ ids: [0, 0, 0], skipped }];

  it.each<[PoolingMode, number, number[]]>([
    ["cls", 0, [1, 9]],
    ["cls", 1, [3, 5]],
    ["lasttoken", 0, [8, 4]],
    ["lasttoken", 1, [8, 4]],
    ["max", 0, [8, 9]],
    ["max", 1, [8, 5]],
    ["mean", 0, [4, 6]],
    ["mean", 1, [5.5, 4.5]],
    ["mean_sqrt_len_tokens", 0, [12 / Math.sqrt(3), 18 / Math.sqrt(3)]],
    ["weightedmean", 0, [(1 + 6 + 24) / 6, (9 + 10 + 12) / 6]],
    // Tokens keep the weights of their positions.
    ["weightedmean", 1, [(6 + 24) / 5, (10 + 12) / 5]],
  ])("%s without the first %i tokens", (mode, skipped, expected) => {
    const [vector] = pool(hidden, one(skipped), [mode]);
    // Sums are rounded to float32 once.
    expect(vector!).toBeAllclose(expected, { rtol: 1e-7, atol: 0 });
  });

  it("of several modes concatenates their vectors", () => {
    expect(pool(hidden, one(0), ["lasttoken", "cls"])).toEqual([Float32Array.of(8, 4, 1, 9)]);
  });
});

describe("batches", () => {
  it("contain every sequence once, the longest first, at most 32 each", () => {
    const lengths = Array.from({ length: 70 }, (_, i) => 1 + (i % 7));
    const batches = batchesByLength(lengths);
    expect(batches.map((batch) => batch.length)).toEqual([32, 32, 6]);
    expect(batches.flat().sort((a, b) => a - b)).toEqual([...lengths.keys()]);
    expect(batches.flat().map((index) => lengths[index]!)).toEqual(lengths.toSorted((a, b) => b - a));
  });

  it("have at most 4096 tokens, including padding, unless one sequence has more", () => {
    expect(batchesByLength([10, 5000, 2048, 1, 2048])).toEqual([[1], [2, 4], [0, 3]]);
  });

  it("are padded on the right, and masked there", () => {
    expect(paddedBatch([[5, 6, 7], [8]])).toEqual({
      ids: [
        [5, 6, 7],
        [8, 0, 0],
      ],
      mask: [
        [1, 1, 1],
        [1, 0, 0],
      ],
    });
  });
});
