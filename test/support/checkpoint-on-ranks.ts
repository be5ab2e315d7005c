import { openCheckpoint } from "@ringrank/model";
import { describe, expect, it } from "vitest";
import { modelTolerance, readGolden, zooDirectory } from "../../packages/model/src/testing/fixtures.js";
import { appendInChunks } from "./append-in-chunks.js";
import { readGoldenGreedy } from "./golden-greedy.js";
import { greedyAgreement } from "./greedy.js";
import { loadedModel } from "./loaded-model.js";
import { oracleBytes } from "./oracle.js";
import { rankCounts } from "./rank-counts.js";
import { recordSplit, relativeError } from "./results.js";

/** What a causal checkpoint of the zoo has to do on real ranks, against what transformers computed. */
export function checkpointOnRanks(name: string): void {
  const golden = readGolden(name);
  const { inputIds, logits, vocabulary } = golden;
  const tolerance = modelTolerance(logits);
  const rowLogits = (row: number): Float32Array => {
    const size = inputIds[row]!.length * vocabulary;
    return logits.subarray(row * size, (row + 1) * size);
  };

  describe.each(rankCounts(name))("on %i ranks", (ranks) => {
    const model = loadedModel(zooDirectory(name), { ranks });

    it("run gives transformers' logits", async () => {
      const { logits: whole } = await model().run({ input_ids: inputIds });
      recordSplit(name, model(), relativeError(whole!.data as Float32Array, logits));
      expect(whole).toMatchObject({ type: "float32", dims: [2, inputIds[0]!.length, vocabulary] });
      expect(whole!.data as Float32Array).toBeAllclose(logits, tolerance);
    });

    it("run gives each sequence's last logits alone where only those are wanted", async () => {
      const { logits: last } = await model().run({ input_ids: inputIds }, { logits: "last" });
      expect(last!.dims).toEqual([2, 1, vocabulary]);
      const expected = inputIds.flatMap((_, row) => [...rowLogits(row).subarray(-vocabulary)]);
      expect(last!.data as Float32Array).toBeAllclose(expected, tolerance);
    });

    it.each([
      ["one token at a time", Array<number>(12).fill(1)],
      ["in chunks of 1, 4, 4 and 3", [1, 4, 4, 3]],
    ])("the cache gives the same logits %s, and only new tokens enter", async (_, chunks) => {
      const before = model().counters().tokens;
      const parts = await Promise.all(inputIds.map((ids) => appendInChunks(model().sequence(), ids, chunks)));
      for (const [row, part] of parts.entries()) expect(part).toBeAllclose(rowLogits(row), tolerance);
      expect(model().counters().tokens - before).toBe(inputIds.flat().length);
    });

    it("greedy tokens agree as long as the two best logits are told apart", async () => {
      const greedy = readGoldenGreedy(name);
      const generation = model().generate(greedy.prompt, {
        maxNewTokens: greedy.ids.length,
        temperature: 0,
        ignoreEos: true,
      });
      const { ids } = await generation.result;
      expect(ids).toSatisfy(greedyAgreement(greedy.ids, greedy.gaps));
    });

    it("a step runs the all-reduces that the policy pays for, and no more", async () => {
      const before = model().counters().collectives;
      await appendInChunks(model().sequence(), inputIds[0]!.slice(0, 1), [1]);
      const { collectives, factors } = model().policy;
      // Besides, ranks meet once to put logits together that they have by vocabulary.
      const apart = factors.some(({ label, sharded }) => label === "vocabulary" && sharded);
      expect(model().counters().collectives - before).toBe(collectives.length + (apart ? 1 : 0));
    });

    it("each rank keeps exactly the bytes that the policy predicts", () => {
      const reports = model().memory();
      expect(reports.map(({ bytesKept }) => bytesKept)).toEqual(model().policy.bytesPerRank);
    });

    it("no rank keeps more than a tenth over what a split by tensor names would give it", () => {
      const oracle = oracleBytes(openCheckpoint(zooDirectory(name)), ranks);
      expect(Math.max(...model().policy.bytesPerRank)).toBeLessThanOrEqual(1.1 * oracle);
    });
  });
}
