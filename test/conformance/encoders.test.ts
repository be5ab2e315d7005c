import type { Model } from "@ringrank/coordinator";
import { describe, expect, it } from "vitest";
import {
  modelTolerance,
  readGolden,
  zooDirectory,
  zooEncoders,
} from "../../packages/model/src/testing/fixtures.js";
import { loadedModel, planOnOneThread } from "../support/loaded-model.js";
import { rankCounts } from "../support/rank-counts.js";
import { recordSplit, relativeError } from "../support/results.js";

planOnOneThread();

/** Every encoder of the zoo on real ranks, compared with transformers. */
describe.each(zooEncoders())("%s", (name) => {
  const { inputIds, output, logits, padded, vocabulary } = readGolden(name);
  const tolerance = modelTolerance(logits);

  describe.each(rankCounts(name))("on %i ranks", (ranks) => {
    const model = loadedModel(zooDirectory(name), { ranks });

    it("run computes transformers' logits", async () => {
      const { [output]: whole } = await model().run({ input_ids: inputIds }, { outputs: [output] });
      recordSplit(name, model(), relativeError(whole!.data as Float32Array, logits));
      expect(whole).toMatchObject({ type: "float32", dims: [2, inputIds[0]!.length, vocabulary] });
      expect(whole!.data as Float32Array).toBeAllclose(logits, tolerance);
    });

    it("run computes transformers' logits of tokens next to padding", async () => {
      const { mask, logits: expected } = padded!;
      const { [output]: whole } = await model().run({ input_ids: inputIds, attention_mask: mask });
      // The output for padding itself is meaningless.
      const isToken = mask.flat();
      const ofTokens = (data: Float32Array) =>
        data.filter((_, at) => isToken[Math.floor(at / vocabulary)] === 1);
      expect(ofTokens(whole!.data as Float32Array)).toBeAllclose(ofTokens(expected), tolerance);
    });

    it("embed pools the hidden states that run computes for each text alone, whatever the padding", async () => {
      const texts = [inputIds[0]!.slice(0, 5), inputIds[1]!, inputIds[0]!.slice(3, 4)];
      const [mean, cls] = await Promise.all([
        model().embed(texts, { normalize: false }),
        model().embed(texts, { pooling: "cls" }),
      ]);
      const alone = await Promise.all(texts.map((text) => hiddenStates(model(), text)));
      const means = alone.flatMap((rows) =>
        rows[0]!.map((_, lane) => average(rows.map((row) => row[lane]!))),
      );
      const firsts = alone.flatMap(([first]) => first!.map((value) => value / Math.hypot(...first!)));
      expect(mean.dims).toEqual([3, alone[0]![0]!.length]);
      // Attention over masked padding sums in another order.
      expect(mean.data).toBeAllclose(means, modelTolerance(mean.data));
      expect(cls.data).toBeAllclose(firsts, { rtol: 0, atol: 1e-5 });
    });

    it("run computes the same hidden states without the logits as with them", async () => {
      const inputs = { input_ids: inputIds };
      const outputs = [...new Set(["last_hidden_state", output])];
      const [whole, alone] = [
        await model().run(inputs, { outputs }),
        await model().run(inputs, { outputs: ["last_hidden_state"] }),
      ];
      expect(Object.keys(alone)).toEqual(["last_hidden_state"]);
      expect(alone.last_hidden_state).toEqual(whole.last_hidden_state);
    });

    it("does not generate", async () => {
      await expect(model().generate(inputIds[0]!).result).rejects.toMatchObject({ code: "RR_NO_GENERATE" });
    });

    it("each rank keeps exactly the bytes that the policy predicts", () => {
      const reports = model().memory();
      expect(reports.map(({ bytesKept }) => bytesKept)).toEqual(model().policy.bytesPerRank);
    });
  });
});

/** The hidden state of each token of a text that forms a batch alone. */
async function hiddenStates(model: Model, text: readonly number[]): Promise<number[][]> {
  const { last_hidden_state: hidden } = await model.run(
    { input_ids: [text] },
    { outputs: ["last_hidden_state"] },
  );
  const width = hidden!.dims.at(-1)!;
  const states = Array.from(hidden!.data as Float32Array);
  return text.map((_, token) => states.slice(token * width, (token + 1) * width));
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
