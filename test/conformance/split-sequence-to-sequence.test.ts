import { buildGraph, entryGraph, openCheckpoint } from "@ringrank/model";
import { ShardReader } from "@ringrank/model/weights";
import { buildPrograms, planGraph } from "@ringrank/policy";
import { afterAll, describe, expect, it } from "vitest";
import {
  modelTolerance,
  readGolden,
  zooDirectory,
  zooNames,
} from "../../packages/model/src/testing/fixtures.js";
import { EmulatedGroup } from "../support/emulation/emulated-group.js";
import { evenShare } from "../support/even-share.js";
import { firstStep, int64 } from "../support/first-step.js";
import { memoized } from "../support/memoized.js";

const layers = 2;

/** Decoders that normalize word embeddings before adding positions, so that each table's sum is reduced separately. */
const normsWords: ReadonlySet<string> = new Set(["blenderbot-small"]);

describe.each(zooNames("seq2seq"))("%s, split by its dataflow", (name) => {
  const { graph } = buildGraph(openCheckpoint(zooDirectory(name)));
  const { inputIds, logits: golden, padded, target } = readGolden(name);
  const tolerance = modelTolerance(golden);
  const reader = new ShardReader();
  const policyFor = memoized((ranks: number) => planGraph(graph, { ranks }));
  afterAll(() => reader[Symbol.dispose]());

  const encodeInputs = (mask: readonly (readonly number[])[]) => {
    const dims = [inputIds.length, inputIds[0]!.length];
    return { input_ids: int64(inputIds.flat(), dims), attention_mask: int64(mask.flat(), dims) };
  };
  const decodeInputs = (mask: readonly (readonly number[])[]) => {
    const positions = mask.flatMap((row) => row.map((one, i) => (one === 1 ? i : -1)));
    const step = firstStep(entryGraph(graph, "decode"), target!.inputIds);
    // Each rank keeps its part of the encoder's output, so that is not an input.
    const given = Object.entries(step).filter(([input]) => !input.startsWith("encoded."));
    return {
      ...Object.fromEntries(given),
      encoder_positions: int64(positions, [mask.length, mask[0]!.length]),
    };
  };

  it.each([2, 3, 4])("computes transformers' logits on %i ranks, padded or not", async (ranks) => {
    const programs = buildPrograms(graph, policyFor(ranks));
    const group = await EmulatedGroup.open(programs, (shard) => reader.read(shard));
    const cases = [{ mask: inputIds.map((row) => row.map(() => 1)), logits: golden }, padded!];
    for (const { mask, logits: expected } of cases) {
      await group.run("encode", encodeInputs(mask));
      const { logits } = await group.run("decode", decodeInputs(mask));
      expect(logits!.data as Float32Array).toBeAllclose(expected, tolerance);
    }
    await group.close();
  });

  it.each([2, 4])("keeps on each of %i ranks little more than its share of every matrix", (ranks) => {
    const policy = policyFor(ranks);
    expect(Math.max(...policy.bytesPerRank)).toBeLessThanOrEqual(1.1 * evenShare(policy));
  });

  it("reduces once for each side's embedding, twice for an encoder's layer and three times for a decoder's", () => {
    const [program] = buildPrograms(graph, policyFor(2));
    const sums = Object.entries(program!.entries).map(([entry, { steps }]) => [
      entry,
      steps.filter(({ kind }) => kind === "allReduce").length,
    ]);
    const embeddings = normsWords.has(name) ? 2 : 1;
    expect(Object.fromEntries(sums)).toEqual({ encode: 1 + layers * 2, decode: embeddings + layers * 3 });
  });
});
