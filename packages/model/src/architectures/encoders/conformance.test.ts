import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { modelTolerance, readGolden, zooDirectory, zooEncoders } from "../../testing/fixtures.js";
import { integers, UnsplitModel } from "../../testing/unsplit-model.js";

describe.each(zooEncoders())("%s, unsplit, against transformers", (name) => {
  const { inputIds, output, logits: golden, padded, vocabulary } = readGolden(name);
  const tolerance = modelTolerance(golden);
  let model: UnsplitModel;

  beforeAll(async () => {
    model = await UnsplitModel.load(zooDirectory(name));
  });
  afterAll(() => model.release());

  async function run(ids: readonly (readonly number[])[], mask: readonly (readonly number[])[]) {
    const dims = [ids.length, ids[0]!.length];
    return await model.run({
      input_ids: integers(ids.flat(), dims),
      attention_mask: integers(mask.flat(), dims),
    });
  }

  it("computes the logits of every token", async () => {
    const { [output]: logits } = await run(
      inputIds,
      inputIds.map((row) => row.map(() => 1)),
    );
    expect(logits!.dims).toEqual([2, 12, vocabulary]);
    expect(logits!.data as Float32Array).toBeAllclose(golden, tolerance);
  });

  it("computes the same logits next to padding", async () => {
    const { mask, logits: expected } = padded!;
    const { [output]: logits } = await run(inputIds, mask);
    // A model's logits for padding itself are meaningless.
    expect(tokensOf(logits!.data as Float32Array, mask)).toBeAllclose(tokensOf(expected, mask), tolerance);
  });

  it("computes the same logits for a row with padding after it as without", async () => {
    const shorter = inputIds.map((row) => row.slice(0, 7));
    const { [output]: alone } = await run(
      shorter,
      shorter.map((row) => row.map(() => 1)),
    );
    const mask = inputIds.map((row) => row.map((_, i) => (i < 7 ? 1 : 0)));
    const { [output]: beside } = await run(inputIds, mask);
    const tokens = tokensOf(beside!.data as Float32Array, mask);
    expect(tokens).toBeAllclose(alone!.data as Float32Array, tolerance);
  });

  it("computes a hidden state for every token of a batch of one row", async () => {
    const { last_hidden_state: hidden } = await run([[inputIds[0]![0]!]], [[1]]);
    expect(hidden!.dims.slice(0, 2)).toEqual([1, 1]);
    expect(hidden!.data as Float32Array).toSatisfy((data: Float32Array) => data.every(Number.isFinite));
  });

  function tokensOf(logits: Float32Array, mask: readonly (readonly number[])[]): Float32Array {
    return logits.filter((_, i) => mask.flat()[Math.floor(i / vocabulary)] === 1);
  }
});
