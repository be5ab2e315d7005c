import type { RingrankError } from "@ringrank/coordinator";
import { describe, expect, it } from "vitest";
import {
  modelTolerance,
  readGolden,
  zooDirectory,
  zooNames,
} from "../../packages/model/src/testing/fixtures.js";
import { appendInChunks } from "../support/append-in-chunks.js";
import { readGoldenGreedy } from "../support/golden-greedy.js";
import { greedyAgreement } from "../support/greedy.js";
import { loadedModel, planOnOneThread } from "../support/loaded-model.js";
import { rankCounts } from "../support/rank-counts.js";
import { recordSplit, relativeError } from "../support/results.js";

planOnOneThread();

/** Every encoder–decoder of the zoo on real ranks, compared with transformers. */
describe.each(zooNames("seq2seq"))("%s", (name) => {
  const { inputIds, logits, padded, target, vocabulary } = readGolden(name);
  const targetIds = target!.inputIds;
  const length = targetIds[0]!.length;

  describe.each(rankCounts(name))("on %i ranks", (ranks) => {
    // Some configs have settings for ways of generating that are not compared here; any other warning fails the load.
    const onWarning = ({ code }: RingrankError) => expect(code).toBe("RR_UNSUPPORTED_SETTING");
    const model = loadedModel(zooDirectory(name), { ranks, onWarning });

    it("run computes transformers' logits and encoder output", async () => {
      const inputs = { input_ids: inputIds, decoder_input_ids: targetIds };
      const { logits: whole, last_hidden_state: hidden } = await model().run(inputs);
      recordSplit(name, model(), relativeError(whole!.data as Float32Array, logits));
      expect(whole).toMatchObject({ type: "float32", dims: [2, length, vocabulary] });
      expect(whole!.data as Float32Array).toBeAllclose(logits, modelTolerance(logits));
      expect(hidden!.data as Float32Array).toBeAllclose(
        target!.encoderHidden,
        modelTolerance(target!.encoderHidden),
      );
    });

    it("run ignores the padding of a source", async () => {
      const { mask, logits: expected } = padded!;
      const inputs = { input_ids: inputIds, attention_mask: mask, decoder_input_ids: targetIds };
      const { logits: whole } = await model().run(inputs);
      expect(whole!.data as Float32Array).toBeAllclose(expected, modelTolerance(logits));
    });

    it("run only encodes if no logits are requested, and decodes only the last row if only that is", async () => {
      const outputs = ["last_hidden_state"];
      const { last_hidden_state: hidden } = await model().run({ input_ids: inputIds }, { outputs });
      expect(hidden!.data as Float32Array).toBeAllclose(
        target!.encoderHidden,
        modelTolerance(target!.encoderHidden),
      );
      const inputs = { input_ids: inputIds, decoder_input_ids: targetIds };
      const { logits: last } = await model().run(inputs, { logits: "last", outputs: ["logits"] });
      const rowSize = length * vocabulary;
      const expected = [1, 2].flatMap((row) => [
        ...logits.subarray(row * rowSize - vocabulary, row * rowSize),
      ]);
      expect(last!.dims).toEqual([2, 1, vocabulary]);
      expect(last!.data as Float32Array).toBeAllclose(expected, modelTolerance(logits));
    });

    it("embed pools the encoder's output", async () => {
      const { dims, data } = await model().embed(inputIds, { pooling: "cls", normalize: false });
      const [rows, width] = dims;
      const { encoderHidden } = target!;
      const rowSize = encoderHidden.length / rows!;
      const firsts = inputIds.flatMap((_, row) => [
        ...encoderHidden.subarray(row * rowSize, row * rowSize + width!),
      ]);
      expect(data).toBeAllclose(firsts, modelTolerance(encoderHidden));
    });

    it.each([
      ["one token at a time", Array<number>(length).fill(1)],
      ["in chunks of 1, 2 and the rest", [1, 2, length - 3]],
    ])("the cache gives the same logits %s, and each source is read once", async (_, chunks) => {
      const before = model().counters();
      const parts = await Promise.all(
        inputIds.map((source, row) => appendInChunks(model().sequence({ source }), targetIds[row]!, chunks)),
      );
      expect(parts.flat()).toBeAllclose(logits, modelTolerance(logits));
      const { tokens, sourceTokens } = model().counters();
      expect(tokens - before.tokens).toBe(targetIds.flat().length);
      expect(sourceTokens - before.sourceTokens).toBe(inputIds.flat().length);
    });

    it("greedy tokens equal transformers' as long as the two best logits are distinguishable", async () => {
      const greedy = readGoldenGreedy(name);
      const options = { maxNewTokens: greedy.ids.length, temperature: 0, ignoreEos: true };
      const generations = [options, { ...options, decoderPrompt: greedy.prompt }].map((each) =>
        model().generate(inputIds[0]!, each),
      );
      for (const { result } of generations) {
        expect((await result).ids).toSatisfy(greedyAgreement(greedy.ids, greedy.gaps));
      }
    });

    it("each rank keeps exactly the bytes that the policy predicts", () => {
      const reports = model().memory();
      expect(reports.map(({ bytesKept }) => bytesKept)).toEqual(model().policy.bytesPerRank);
    });
  });
});
