import { describe, expect, it } from "vitest";
import type { InputValue } from "../inputs/inputs.js";
import type { Tensor } from "../tensor.js";
import { batchesByLength, paddedBatch } from "./batches.js";
import { embed } from "./embed.js";
import { normalized, pool } from "./pool.js";

/** The state of a token is its id and its square; that of padding is far off. */
async function fakeRun(inputs: Readonly<Record<string, InputValue>>): Promise<Tensor> {
  const ids = inputs.input_ids as number[][];
  const mask = inputs.attention_mask as number[][];
  const states = ids.flatMap((row, at) =>
    row.flatMap((id, token) => (mask[at]![token] === 1 ? [id, id * id] : [1e6, 1e6])),
  );
  return { type: "float32", dims: [ids.length, ids[0]!.length, 2], data: Float32Array.from(states) };
}

describe("embed", () => {
  it("returns the mean over each sequence's own tokens, in the given order", async () => {
    const embeddings = await embed([[4], [1, 2, 3], [2, 4]], fakeRun, { pooling: "mean", normalize: false });
    expect(embeddings.dims).toEqual([3, 2]);
    expect(embeddings.data).toBeAllclose([4, 16, 2, 14 / 3, 3, 10], { rtol: 1e-6, atol: 0 });
  });

  it("returns the first token's state for cls, and unit vectors if requested", async () => {
    const { data } = await embed([[3, 9], [5]], fakeRun, { pooling: "cls", normalize: true });
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
    const options = { pooling: "mean", normalize: false } as const;
    const { data } = await embed([[4], [1, 2], [6], [3, 5]], run, options, false);
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
    const options = { pooling: "mean", normalize: true } as const;
    await expect(embed([[1]], flat, options)).rejects.toMatchObject({ code: "RR_TYPE" });
    await expect(embed([[1]], async () => undefined, options)).rejects.toMatchObject({ code: "RR_TYPE" });
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

it("pooling only reads up to a row's length", () => {
  const data = Float32Array.of(1, 2, 3, 4, Number.NaN, Number.NaN);
  expect(pool({ data, dims: [1, 3, 2] }, [2], "mean")).toEqual([Float32Array.of(2, 3)]);
});

it("a zero vector is not normalized", () => {
  expect(normalized(Float32Array.of(0, 0))).toEqual(Float32Array.of(0, 0));
});
