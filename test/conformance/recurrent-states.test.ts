import { describe, expect, it } from "vitest";
import { modelTolerance, readGolden, zooDirectory } from "../../packages/model/src/testing/fixtures.js";
import { appendInChunks } from "../support/append-in-chunks.js";
import { loadedModel, planOnOneThread } from "../support/loaded-model.js";

planOnOneThread();

/** One of their two layers keeps rows for every token, and the other a single state: a gated DeltaNet, and Mamba 2. */
const names = ["qwen3-next", "bamba"];

describe.each(names)("%s on 2 ranks", (name) => {
  const golden = readGolden(name);
  const { inputIds, vocabulary } = golden;
  const tolerance = modelTolerance(golden.logits);
  const logitsOf = (row: number, from = 0, to = 12): Float32Array =>
    golden.logits.subarray((12 * row + from) * vocabulary, (12 * row + to) * vocabulary);
  const model = loadedModel(zooDirectory(name), { ranks: 2 });

  it("computes for sequences of different lengths that share steps the tokens that each gets alone", async () => {
    const prompts = [inputIds[0]!, inputIds[1]!.slice(0, 3), inputIds[1]!];
    const tokens = async (prompt: readonly number[], at: number): Promise<readonly number[]> => {
      const options = { temperature: 0, maxNewTokens: 20 - 6 * at, ignoreEos: true };
      return (await model().generate([...prompt], options).result).ids;
    };
    const alone: (readonly number[])[] = [];
    for (const [at, prompt] of prompts.entries()) alone.push(await tokens(prompt, at));
    const before = model().counters().steps;
    expect(await Promise.all(prompts.map(tokens))).toEqual(alone);
    const sum = alone.reduce((total, ids) => total + ids.length, 0);
    expect(model().counters().steps - before).toBeLessThan(sum);
  });

  it("starts a sequence from a fresh state in a closed one's place, while another continues", async () => {
    const [closed, other] = [model().sequence(), model().sequence()];
    await closed.append(inputIds[1]!.slice(0, 7));
    const first = await other.append(inputIds[1]!.slice(0, 5));
    closed.close();
    expect(await appendInChunks(model().sequence(), inputIds[0]!, [7, 5])).toBeAllclose(
      logitsOf(0),
      tolerance,
    );
    const second = await other.append(inputIds[1]!.slice(5));
    other.close();
    expect([...first.logits.data, ...second.logits.data]).toBeAllclose(logitsOf(1), tolerance);
  });

  it("excludes padding from its states", async () => {
    const padded = [[0, 0, 0, ...inputIds[0]!.slice(0, 9)], inputIds[1]!];
    const mask = [[0, 0, 0, ...Array<number>(9).fill(1)], Array<number>(12).fill(1)];
    const positions = [[0, 0, 0, ...Array(9).keys()], [...Array(12).keys()]];
    const inputs = { input_ids: padded, attention_mask: mask, position_ids: positions };
    const { logits } = await model().run(inputs);
    const data = logits!.data as Float32Array;
    expect(data.subarray(3 * vocabulary, 12 * vocabulary)).toBeAllclose(logitsOf(0, 0, 9), tolerance);
    expect(data.subarray(12 * vocabulary)).toBeAllclose(logitsOf(1), tolerance);
  });
});

describe.each(["int8", "int4"] as const)("qwen3-next in %s", (precision) => {
  const name = "qwen3-next";
  const { inputIds, logits: whole } = readGolden(name);
  const tolerance = modelTolerance(whole);
  const model = loadedModel(zooDirectory(name), { ranks: 2, precision, cache: false });

  it("carries its states across chunks as through the whole sequence", async () => {
    const { logits } = await model().run({ input_ids: [inputIds[0]!] });
    const chunks = await appendInChunks(model().sequence(), inputIds[0]!, [5, 1, 6]);
    // Both round activations alike, since so few rows are multiplied.
    expect(chunks).toBeAllclose(logits!.data as Float32Array, tolerance);
  });
});
