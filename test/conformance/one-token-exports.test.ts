import { describe, expect, it } from "vitest";
import { modelTolerance, readGolden } from "../../packages/model/src/testing/fixtures.js";
import { appendInChunks } from "../support/append-in-chunks.js";
import { readGoldenGreedy } from "../support/golden-greedy.js";
import { greedyAgreement } from "../support/greedy.js";
import { loadedModel, planOnOneThread } from "../support/loaded-model.js";
import { assembledExport } from "../support/onnx-exports.js";

planOnOneThread();

/**
 * Decoders that Optimum traced with one new token, as it did until 2023: they have no causal mask between new tokens.
 */
const exportsByCheckpoint = [
  ["opt", "optimum-1.16/opt/decoder_model_merged.onnx"],
  ["t5", "optimum-1.16/t5"],
] as const;

describe.each(exportsByCheckpoint)("%s, which takes one token at a time", (checkpoint, path) => {
  const { inputIds, logits, target } = readGolden(checkpoint);
  const tokens = target?.inputIds ?? inputIds;
  const length = tokens[0]!.length;

  describe.each([1, 2])("on %i ranks", (ranks) => {
    const model = loadedModel(assembledExport(path), { ranks });

    it("computes sequences token by token, however many tokens are appended at once", async () => {
      const chunks = [[length], [3, 1, length - 4]];
      const before = model().counters();
      const parts = await Promise.all(
        tokens.map((ids, row) => {
          const sequence = model().sequence(target && { source: inputIds[row]! });
          return appendInChunks(sequence, ids, chunks[row]!);
        }),
      );
      expect(parts.flat()).toBeAllclose(logits, modelTolerance(logits));
      const { tokens: counted, steps } = model().counters();
      expect(counted - before.tokens).toBe(tokens.flat().length);
      expect(steps - before.steps).toBeGreaterThanOrEqual(length);
    });

    it("greedy tokens equal transformers' as long as the two best logits are distinguishable", async () => {
      const { prompt, ids, gaps } = readGoldenGreedy(checkpoint);
      const options = { maxNewTokens: ids.length, temperature: 0, ignoreEos: true };
      const decoding = target === undefined ? options : { ...options, decoderPrompt: prompt };
      const { result } = model().generate(inputIds[0]!, decoding);
      expect((await result).ids).toSatisfy(greedyAgreement(ids, gaps));
    });

    it("run takes one token of each sequence, and refuses more", async () => {
      const run = (length: number) => {
        const ids = tokens.map((row) => row.slice(0, length));
        return model().run(target ? { input_ids: inputIds, decoder_input_ids: ids } : { input_ids: ids });
      };
      const { logits: first } = await run(1);
      const vocabulary = first!.dims.at(-1)!;
      const rows = tokens.map((_, row) => logits.subarray(row * length * vocabulary).subarray(0, vocabulary));
      const expected = Float32Array.from(rows.flatMap((row) => [...row]));
      expect(first!.data as Float32Array).toBeAllclose(expected, modelTolerance(logits));
      await expect(run(2)).rejects.toMatchObject({ code: "RR_SHAPE" });
    });
  });
});
