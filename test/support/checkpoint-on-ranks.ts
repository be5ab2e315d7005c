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

/** The tests of a causal checkpoint of the zoo on real ranks, compared with transformers. */
export function checkpointOnRanks(name: string): void {
  const golden = readGolden(name);
  const { inputIds, logits, vocabulary } = golden;
  const tolerance = modelTolerance(logits);
  const rowLogits = (row: number): Float32Array => {
    const size = inputIds[row]!.length * vocabulary;
    return logits.subarray(row * size, (row + 1) * size);
  };

  describe.each(rankCounts(name))("on %i ranks", (ranks) => {
    const model = loadedModel(zooDirectory(name), { ranks, prefixCacheTokens: 1000 });

    it("run computes transformers' logits", async () => {
      const { logits: whole } = await model().run({ input_ids: inputIds });
      recordSplit(name, model(), relativeError(whole!.data as Float32Array, logits));
      expect(whole).toMatchObject({ type: "float32", dims: [2, inputIds[0]!.length, vocabulary] });
      expect(whole!.data as Float32Array).toBeAllclose(logits, tolerance);
    });

    it("run returns only each sequence's last logits if only those are requested", async () => {
      const { logits: last } = await model().run({ input_ids: inputIds }, { logits: "last" });
      expect(last!.dims).toEqual([2, 1, vocabulary]);
      const expected = inputIds.flatMap((_, row) => [...rowLogits(row).subarray(-vocabulary)]);
      expect(last!.data as Float32Array).toBeAllclose(expected, tolerance);
    });

    it.each(chunkings())(
      "the cache gives the same logits in chunks of %j, and only new tokens enter",
      async (chunks) => {
        const before = model().counters().tokens;
        const parts = await Promise.all(
          inputIds.map((ids) => appendInChunks(model().sequence(), ids, chunks)),
        );
        for (const [row, part] of parts.entries()) expect(part).toBeAllclose(rowLogits(row), tolerance);
        expect(model().counters().tokens - before).toBe(inputIds.flat().length);
      },
    );

    it("greedy tokens equal transformers' as long as the two best logits are distinguishable", async () => {
      const greedy = readGoldenGreedy(name);
      const generation = model().generate(greedy.prompt, {
        maxNewTokens: greedy.ids.length,
        temperature: 0,
        ignoreEos: true,
      });
      const { ids } = await generation.result;
      expect(ids).toSatisfy(greedyAgreement(greedy.ids, greedy.gaps));
    });

    it("a prompt that begins with an earlier generation's tokens continues as transformers does", async () => {
      const { prompt, ids, gaps } = readGoldenGreedy(name);
      const few = 6;
      const continued = (known: number, maxNewTokens: number) =>
        model().generate([...prompt, ...ids.slice(0, known)], {
          maxNewTokens,
          temperature: 0,
          ignoreEos: true,
        }).result;
      const { usage } = await continued(12, 1);
      // All tokens of the first generation, and then some of them, which recurrent states do not allow.
      for (const known of [14, 6]) {
        const continuation = await continued(known, few);
        const [expected, apart] = [ids, gaps].map((all) => all.slice(known, known + few));
        expect(continuation.ids).toSatisfy(greedyAgreement(expected!, apart!));
        if (known === 14) expect(continuation.usage.cachedTokens).toBeGreaterThanOrEqual(usage.promptTokens);
      }
    });

    it("a step runs exactly the all-reduces of the policy", async () => {
      const before = model().counters().collectives;
      await appendInChunks(model().sequence(), inputIds[0]!.slice(0, 1), [1]);
      const { collectives, factors } = model().policy;
      // The ranks also gather logits once if these are sharded by vocabulary.
      const apart = factors.some(({ label, sharded }) => label === "vocabulary" && sharded);
      expect(model().counters().collectives - before).toBe(collectives.length + (apart ? 1 : 0));
    });

    it("each rank keeps exactly the bytes that the policy predicts", () => {
      const reports = model().memory();
      expect(reports.map(({ bytesKept }) => bytesKept)).toEqual(model().policy.bytesPerRank);
    });

    it("no rank keeps over a tenth more than a split by tensor names would give it", () => {
      const oracle = oracleBytes(openCheckpoint(zooDirectory(name)), ranks);
      expect(Math.max(...model().policy.bytesPerRank)).toBeLessThanOrEqual(1.1 * oracle);
    });
  });
}

/**
 * Lengths in which 12 tokens are appended to a cache: single ones and several, each after the other and after its like.
 * With `RINGRANK_RANKS=all`, also every token alone.
 */
function chunkings(): number[][][] {
  const mixed = [1, 1, 4, 4, 1, 1];
  return process.env.RINGRANK_RANKS === "all" ? [[mixed], [Array<number>(12).fill(1)]] : [[mixed]];
}
