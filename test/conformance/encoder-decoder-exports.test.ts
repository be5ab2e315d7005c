import { readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { modelTolerance, readGolden } from "../../packages/model/src/testing/fixtures.js";
import { appendInChunks } from "../support/append-in-chunks.js";
import { readGoldenGreedy } from "../support/golden-greedy.js";
import { greedyAgreement } from "../support/greedy.js";
import { loadedModel, planOnOneThread } from "../support/loaded-model.js";
import { assembledExport } from "../support/onnx-exports.js";
import { rankCounts } from "../support/rank-counts.js";
import { suiteDirectory } from "../support/temporary-directory.js";

planOnOneThread();

/** Encoder–decoders in several files, on real ranks, compared with transformers. */
describe.each(["bart", "t5"])("optimum/%s", (name) => {
  const { inputIds, logits, padded, target } = readGolden(name);
  const targetIds = target!.inputIds;
  const length = targetIds[0]!.length;

  const directory = assembledExport(`optimum/${name}`);
  // The files of exporters that do not merge decoders.
  const apart = suiteDirectory();
  for (const file of readdirSync(directory)) {
    if (!file.includes("merged")) symlinkSync(join(directory, file), join(apart, file));
  }

  describe.each([
    ...rankCounts(name).map((ranks) => [ranks, "merged", directory] as const),
    [2, "apart", apart] as const,
  ])("on %i ranks, its decoder %s", (ranks, _, files) => {
    const model = loadedModel(files, { ranks });

    it("run computes transformers' logits and encoder output, and ignores padding", async () => {
      const inputs = { input_ids: inputIds, decoder_input_ids: targetIds };
      const { logits: whole, last_hidden_state: hidden } = await model().run(inputs);
      expect(whole!.data as Float32Array).toBeAllclose(logits, modelTolerance(logits));
      expect(hidden!.data as Float32Array).toBeAllclose(
        target!.encoderHidden,
        modelTolerance(target!.encoderHidden),
      );
      const masked = await model().run({ ...inputs, attention_mask: padded!.mask });
      expect(masked.logits!.data as Float32Array).toBeAllclose(padded!.logits, modelTolerance(logits));
    });

    it("sequences with different lengths and sources compute through the cache what each computes alone", async () => {
      const chunks = [Array<number>(length).fill(1), [3, 1, length - 4]];
      const parts = await Promise.all(
        inputIds.map((source, row) =>
          appendInChunks(model().sequence({ source }), targetIds[row]!, chunks[row]!),
        ),
      );
      expect(parts.flat()).toBeAllclose(logits, modelTolerance(logits));
    });

    it("greedy tokens equal transformers' as long as the two best logits are distinguishable", async () => {
      const { prompt, ids, gaps } = readGoldenGreedy(name);
      const options = { maxNewTokens: ids.length, temperature: 0, ignoreEos: true, decoderPrompt: prompt };
      const { result } = model().generate(inputIds[0]!, options);
      expect((await result).ids).toSatisfy(greedyAgreement(ids, gaps));
    });
  });
});
