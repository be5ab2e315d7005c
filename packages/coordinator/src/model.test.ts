import { PartitionPolicy } from "@ringrank/policy";
import { describe, expect, it } from "vitest";
import { Model } from "./model.js";
import type { ModelFacts } from "./model-facts.js";
import { FakeRankGroup } from "./testing/fake-rank-group.js";

const facts: ModelFacts = {
  inputs: [{ name: "input_ids", type: "int64", dims: ["batch", "sequence"] }],
  outputs: ["logits"],
  maxContext: 20,
  vocabSize: 100,
  generates: true,
  hasTokenizer: false,
  eosIds: [9],
  generationDefaults: { maxNewTokens: 4 },
};
const policy = new PartitionPolicy({
  version: 1,
  graph: "",
  ranks: 1,
  objective: "memory",
  factors: [],
  weights: {},
  collectives: [],
  bytesPerRank: [0],
  totalBytes: 0,
  predicted: { secondsPerToken: 0, collectiveBytesPerToken: 0, allReducesPerToken: 0 },
  unruled: [],
});
const offload = {
  call: () => Promise.reject(new Error("there is no tokenizer to ask")),
  close: async () => {},
};

function modelOf(different: Partial<ModelFacts> = {}): Model {
  return new Model({ policy, facts: { ...facts, ...different }, group: new FakeRankGroup(), offload });
}

describe("Model", () => {
  it("generates from ids without a tokenizer, with empty texts", async () => {
    expect(await modelOf().generate([1]).result).toMatchObject({ ids: [2, 3, 4, 5], text: "" });
  });

  it("refuses text without a tokenizer, in the prompt and as stop strings", async () => {
    const model = modelOf();
    await expect(model.generate("x").result).rejects.toMatchObject({ code: "RR_NO_TOKENIZER" });
    const { result } = model.generate([1], { stop: "x" });
    await expect(result).rejects.toMatchObject({ code: "RR_NO_TOKENIZER" });
  });

  it("does not generate without a causal cache", async () => {
    const model = modelOf({ generates: false });
    await expect(model.generate([1]).result).rejects.toMatchObject({ code: "RR_NO_GENERATE" });
    expect(() => model.sequence()).toThrow(expect.objectContaining({ code: "RR_NO_GENERATE" }));
  });

  it("tells the reader what is wrong with the options, rather than throw", async () => {
    const generation = modelOf().generate([1], { temperature: -1 });
    await expect(generation[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: "RR_OPTION" });
  });

  it("counts the steps and tokens of its work", async () => {
    const model = modelOf();
    await model.generate([1, 2, 3]).result;
    expect(model.counters()).toMatchObject({ steps: 4, tokens: 6 });
  });

  it("is disposed of as it is closed", async () => {
    const model = modelOf();
    await model[Symbol.asyncDispose]();
    await expect(model.run({ input_ids: [[1]] })).rejects.toMatchObject({ code: "RR_CLOSED" });
  });
});
