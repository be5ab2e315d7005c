import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { entryGraph } from "../../graph/index.js";
import { modelTolerance, readGolden, zooDirectory, zooNames } from "../../testing/fixtures.js";
import { integers, UnsplitModel } from "../../testing/unsplit-model.js";

describe.each(zooNames("seq2seq"))("%s, unsplit, against transformers", (name) => {
  const { inputIds, logits: golden, padded, target, vocabulary } = readGolden(name);
  const length = target!.inputIds[0]!.length;
  const allTokens = inputIds.map((row) => row.map(() => 1));
  const tolerance = modelTolerance(golden);
  let encoder: UnsplitModel;
  let decoder: UnsplitModel;

  beforeAll(async () => {
    encoder = await UnsplitModel.load(zooDirectory(name), (graph) => entryGraph(graph, "encode"));
    decoder = await UnsplitModel.load(zooDirectory(name), (graph) => entryGraph(graph, "decode"));
  });
  afterAll(() => Promise.all([encoder.release(), decoder.release()]));

  async function encode(mask: readonly (readonly number[])[]) {
    const dims = [inputIds.length, inputIds[0]!.length];
    return await encoder.run({
      input_ids: integers(inputIds.flat(), dims),
      attention_mask: integers(mask.flat(), dims),
    });
  }

  /** Starts a decoder that attends to the source, with the encoder's rows as a rank keeps them. */
  async function startDecoder(mask: readonly (readonly number[])[]) {
    const { last_hidden_state: _, ...cross } = await encode(mask);
    const encoded = Object.entries(cross).map(([name, rows]) => [name.replace("cross", "encoded"), rows]);
    const positions = mask.flatMap((row) => row.map((one, i) => (one === 1 ? i : -1)));
    return decoder.start(2, {
      encoder_positions: integers(positions, [mask.length, mask[0]!.length]),
      ...Object.fromEntries(encoded),
    });
  }

  it("computes the encoder's output", async () => {
    const { last_hidden_state: hidden } = await encode(allTokens);
    const expected = target!.encoderHidden;
    expect(hidden!.data as Float32Array).toBeAllclose(expected, modelTolerance(expected));
  });

  it("computes the logits of the whole target in one step", async () => {
    const run = await startDecoder(allTokens);
    const logits = await run.step(target!.inputIds);
    expect(logits.dims).toEqual([2 * length, vocabulary]);
    expect(logits.data as Float32Array).toBeAllclose(golden, tolerance);
  });

  it("computes the logits if part of the source is padding", async () => {
    const run = await startDecoder(padded!.mask);
    const logits = await run.step(target!.inputIds);
    expect(logits.data as Float32Array).toBeAllclose(padded!.logits, tolerance);
  });

  it.each([{ chunks: Array<number>(length).fill(1) }, { chunks: [1, 2, 4] }, { chunks: [3, 4] }])(
    "computes the same logits step by step, with a cache, in chunks of $chunks",
    async ({ chunks }) => {
      const run = await startDecoder(allTokens);
      let from = 0;
      for (const size of chunks) {
        const logits = await run.step(target!.inputIds.map((row) => row.slice(from, from + size)));
        const rows = [0, 1].flatMap((row) => {
          const first = (row * length + from) * vocabulary;
          return [...golden.subarray(first, first + size * vocabulary)];
        });
        expect(logits.data as Float32Array).toBeAllclose(Float32Array.from(rows), tolerance);
        from += size;
      }
    },
  );
});
