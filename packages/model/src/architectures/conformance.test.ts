import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { modelTolerance, readGolden, zooDirectory, zooNames } from "../testing/fixtures.js";
import { UnsplitModel } from "../testing/unsplit-model.js";

describe.each(zooNames("causal"))("%s, unsplit, against transformers", (name) => {
  const golden = readGolden(name);
  const tolerance = modelTolerance(golden.logits);
  let model: UnsplitModel;

  beforeAll(async () => {
    model = await UnsplitModel.load(zooDirectory(name));
  });
  afterAll(() => model.release());

  it("computes the logits of the whole sequence in one step, from an empty cache", async () => {
    const logits = await model.start(2).step(golden.inputIds);
    expect(logits.dims).toEqual([24, golden.vocabulary]);
    expect(logits.data as Float32Array).toBeAllclose(golden.logits, tolerance);
  });

  it.each([{ chunks: Array<number>(12).fill(1) }, { chunks: [1, 5, 6] }, { chunks: [6, 6] }])(
    "computes the same logits step by step, with a cache, in chunks of $chunks",
    async ({ chunks }) => {
      const run = model.start(2);
      let from = 0;
      for (const size of chunks) {
        const logits = await run.step(golden.inputIds.map((row) => row.slice(from, from + size)));
        const expected = [0, 1].flatMap((row) => [...rowsOf(golden.logits, row * 12 + from, size)]);
        expect(logits.data as Float32Array).toBeAllclose(Float32Array.from(expected), tolerance);
        from += size;
      }
    },
  );

  function rowsOf(logits: Float32Array, first: number, count: number): Float32Array {
    return logits.subarray(first * golden.vocabulary, (first + count) * golden.vocabulary);
  }
});
