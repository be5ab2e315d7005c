import { getEventListeners } from "node:events";
import { setImmediate } from "node:timers/promises";
import { PartitionPolicy } from "@ringrank/policy";
import { describe, expect, it, vi } from "vitest";
import { Model } from "./model.js";
import type { ModelFacts } from "./model-facts.js";
import type { Offload } from "./offload/offload.js";
import type { TextService } from "./offload/text-service.js";
import { FakeRankGroup, gate } from "./testing/fake-rank-group.js";

const facts: ModelFacts = {
  inputs: [{ name: "input_ids", type: "int64", dims: ["batch", "sequence"] }],
  outputs: ["logits"],
  maxContext: 20,
  vocabSize: 100,
  generates: true,
  cacheLimits: { rows: Number.POSITIVE_INFINITY, recurrent: false, dependsOnMore: false },
  eosIds: [9],
  forcedEosIds: [],
  generationDefaults: { maxNewTokens: 4 },
};
const policy = new PartitionPolicy({
  version: 2,
  graph: "",
  ranks: 1,
  objective: "memory",
  precision: { weights: "float32", activations: "float32" },
  factors: [],
  weights: {},
  collectives: [],
  bytesPerRank: [0],
  totalBytes: 0,
  predicted: {
    step: "a token",
    secondsPerToken: 0,
    collectiveBytesPerToken: 0,
    allReducesPerToken: 0,
    allGathersPerToken: 0,
  },
  unruled: [],
});

/** An encoder–decoder whose targets begin with 40. */
const translator: Partial<ModelFacts> = {
  inputs: ["input_ids", "decoder_input_ids"].map((name) => ({
    name,
    type: "int64",
    dims: ["batch", name],
  })),
  outputs: ["last_hidden_state", "logits"],
  encoder: {
    inputs: ["input_ids"],
    outputs: ["last_hidden_state"],
    decoderPromptIds: [40],
    maxContext: 15,
    vocabSize: 90,
  },
};

function modelOf(
  different: Partial<ModelFacts> = {},
  group = new FakeRankGroup(),
  texts?: Offload<TextService>,
): Model {
  return new Model({ policy, facts: { ...facts, ...different }, group, texts });
}

/** A text thread that does this, and otherwise makes empty texts. */
function textsOf(service: Partial<Record<keyof TextService, () => unknown>>): Offload<TextService> {
  const remote = {
    detokenize: async () => ({ text: "", isSettled: false }),
    forget: async () => {},
    ...service,
  };
  return {
    call: async (use: (service: typeof remote) => unknown) => use(remote),
  } as unknown as Offload<TextService>;
}

describe("Model", () => {
  it("generates from ids without a tokenizer, with empty texts", async () => {
    expect(await modelOf().generate([1]).result).toMatchObject({ ids: [2, 3, 4, 5], text: "" });
  });

  it("also rejects with the reason of a signal while texts are tokenized for embedding", async () => {
    const endless = { call: () => new Promise(() => {}) } as unknown as Offload<TextService>;
    const model = modelOf({ outputs: ["last_hidden_state"] }, new FakeRankGroup(), endless);
    const aborting = new AbortController();
    const embedding = model.embed(["a long text"], { signal: aborting.signal });
    aborting.abort("enough");
    await expect(embedding).rejects.toBe("enough");
    expect(getEventListeners(aborting.signal, "abort")).toEqual([]);
  });

  it.each<[string, unknown, string, RegExp]>([
    ["no tokens", [[1], []], "RR_EMPTY_PROMPT", /^text 1: expected some token ids, got an array of 0$/],
    ["an unknown token", [[1], [2], [1e6]], "RR_TOKEN_ID", /^text 2: .*got 1000000/],
    ["too many", [Array(10_000).fill(1)], "RR_CONTEXT", /^text 0: .*got 10000/],
    ["messages", [[1], null], "RR_INPUT", /^text 1: expected a text, or an array of token ids; got null$/],
    // This is the model's fault, not that text's.
    ["a text", [[1], "x"], "RR_NO_TOKENIZER", /^expected token ids: the model has no tokenizer/],
  ])("says which of the texts to embed is wrong: %s", async (_, texts, code, message) => {
    const embedding = modelOf({ outputs: ["last_hidden_state"] }).embed(texts as number[][]);
    await expect(embedding).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it.each<[unknown, string, string]>([
    [[], "RR_EMPTY_PROMPT", "expected some token ids or messages, got an array of 0"],
    [Int32Array.of(1), "RR_INPUT", "got an object (Int32Array); pass Array.from(ids, Number)"],
    [7, "RR_INPUT", "expected a text, or an array of token ids or messages; got 7"],
  ])("says what it got instead of a prompt: %o", async (prompt, code, message) => {
    await expect(modelOf().generate(prompt as string).result).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });

  it("refuses text without a tokenizer, in the prompt and as stop strings", async () => {
    const model = modelOf();
    await expect(model.generate("x").result).rejects.toMatchObject({ code: "RR_NO_TOKENIZER" });
    const { result } = model.generate([1], { stop: "x" });
    await expect(result).rejects.toMatchObject({ code: "RR_NO_TOKENIZER" });
  });

  it.each([
    [{ role: "user", name: "Romeo" }, '{ role: "user", name: "Romeo" }'],
    [
      { role: "tool", content: null, tool_call_id: "0" },
      '{ role: "tool", content: null, tool_call_id: "0" }',
    ],
  ])("names the fields of a message that has nothing in place of its content", async (message, fields) => {
    await expect(modelOf().generate([message]).result).rejects.toMatchObject({
      code: "RR_INPUT",
      message: expect.stringContaining(`got ${fields}`),
    });
  });

  it.each([
    [null, "got null"],
    [["user", "Who?"], "got an array of 2"],
    [{}, "got {}"],
    [{ role: 1, content: "Who?" }, 'got { role: 1, content: "Who?" }'],
  ])("says what it got instead of a message: %j", async (message, got) => {
    const { result } = modelOf().generate([{ role: "system", content: "" }, message] as never);
    await expect(result).rejects.toMatchObject({
      code: "RR_INPUT",
      message: expect.stringMatching(/^message 1: /),
    });
    await expect(result).rejects.toThrow(got);
  });

  it("refuses a message whose fields are inherited, since it would be copied without them", async () => {
    class Turn {
      get role() {
        return "user";
      }
      get content() {
        return "Who?";
      }
    }
    const { result } = modelOf().generate([new Turn()]);
    await expect(result).rejects.toThrow(
      /^message 0: expected .* got an object \(Turn\) whose own fields are {}$/,
    );
    await expect(result).rejects.toMatchObject({ code: "RR_INPUT" });
  });

  it("does not skip a message that an array lacks", async () => {
    const messages = [{ role: "user", content: "Who?" }];
    messages.length = 2;
    await expect(modelOf().generate(messages).result).rejects.toThrow(/^message 1: .*got undefined$/);
  });

  it("refuses messages whose text has too many tokens", async () => {
    const texts = { call: async () => Array(21).fill(1) } as unknown as Offload<TextService>;
    const model = modelOf({}, new FakeRankGroup(), texts);
    const { result } = model.generate([{ role: "user", content: "Who?" }]);
    await expect(result).rejects.toMatchObject({ code: "RR_CONTEXT" });
  });

  it("does not generate without a causal cache", async () => {
    const model = modelOf({ generates: false });
    await expect(model.generate([1]).result).rejects.toMatchObject({ code: "RR_NO_GENERATE" });
    expect(() => model.sequence()).toThrow(expect.objectContaining({ code: "RR_NO_GENERATE" }));
  });

  it("reports invalid options to the reader instead of throwing", async () => {
    const generation = modelOf().generate([1], { temperature: -1 });
    await expect(generation[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: "RR_OPTION" });
  });

  it("generates a target from a source, with the beginning that the config or the caller gives", async () => {
    const group = new FakeRankGroup();
    const model = modelOf(translator, group);
    const { ids, usage } = await model.generate([1, 2, 3]).result;
    expect(ids).toEqual([41, 42, 43, 44]);
    expect(usage).toEqual({ promptTokens: 3, cachedTokens: 0, completionTokens: 4 });
    expect(group.requests[0]).toMatchObject({ encode: [{ ids: [1, 2, 3] }], rows: [{ ids: [40] }] });
    const options = { decoderPrompt: [50, 60] };
    expect((await model.generate([1], options).result).ids).toEqual([61, 62, 63, 64]);
  });

  it.each([
    ["an id beyond the encoder's vocabulary", [90], "RR_TOKEN_ID"],
    ["more ids than the encoder's context", Array(16).fill(1), "RR_CONTEXT"],
  ])("refuses a source of %s, which the decoder could have", async (_, source, code) => {
    await expect(modelOf(translator).generate(source).result).rejects.toMatchObject({ code });
  });

  it("has its own copy of a prompt's ids, as they were when it was called", async () => {
    const group = new FakeRankGroup();
    const prompt = [1, 2];
    const { result } = modelOf({}, group).generate(prompt);
    prompt.fill(50);
    await result;
    expect(group.requests[0]).toMatchObject({ rows: [{ ids: [1, 2] }] });
  });

  it.each([
    ["an array without elements", [], "RR_EMPTY_PROMPT"],
    ["an array of texts", ["a rose"], "RR_TOKEN_ID"],
  ])("takes %s for token ids, not for messages", async (_, prompt, code) => {
    const { result } = modelOf().generate(prompt as unknown as number[]);
    await expect(result).rejects.toMatchObject({ code });
  });

  it("gives one token of a prompt at a time to a model that takes no more", async () => {
    const group = new FakeRankGroup();
    await modelOf({ takesOneToken: true }, group).generate([1, 2, 3], { maxNewTokens: 1 }).result;
    expect(group.requests).toMatchObject([1, 2, 3].map((id) => ({ rows: [{ ids: [id] }] })));
  });

  it("appends to a target with a given source", async () => {
    const group = new FakeRankGroup();
    const sequence = modelOf(translator, group).sequence({ source: [1, 2] });
    await sequence.append([40]);
    expect([...group.sources.values()]).toEqual([[1, 2]]);
  });

  it.each<[unknown, string]>([
    [null, "RR_INPUT"],
    ["12", "RR_INPUT"],
    [[], "RR_EMPTY_PROMPT"],
    [["1"], "RR_TOKEN_ID"],
    [Array(21).fill(1), "RR_CONTEXT"],
  ])("refuses to append %j, and continues", async (ids, code) => {
    const sequence = modelOf().sequence();
    await expect(sequence.append(ids as number[])).rejects.toMatchObject({ code });
    expect((await sequence.append([1])).logits.dims).toEqual([1, 2]);
  });

  it.each([
    [[1n], "got 1n"],
    [["1"], 'got "1"'],
    [Uint32Array.of(1), "got an object (Uint32Array)"],
    [null, "got null"],
  ])("says what it got instead of a prompt: %o", async (prompt, message) => {
    const { result } = modelOf().generate(prompt as never);
    await expect(result).rejects.toThrow(message);
  });

  it.each<[string, Partial<ModelFacts>, unknown, string]>([
    ["a missing source", translator, {}, "RR_OPTION"],
    ["an empty source", translator, { source: [] }, "RR_EMPTY_PROMPT"],
    ["a source beyond its vocabulary", translator, { source: [90] }, "RR_TOKEN_ID"],
    ["a source longer than its context", translator, { source: Array(16).fill(1) }, "RR_CONTEXT"],
    ["a source without an encoder", {}, { source: [1] }, "RR_OPTION"],
  ])("refuses %s of a sequence", (_, different, options, code) => {
    const model = modelOf(different);
    expect(() => model.sequence(options as object)).toThrow(expect.objectContaining({ code }));
  });

  it.each<[string, Partial<ModelFacts>, unknown, string]>([
    ["without an encoder", {}, [1], "RR_OPTION"],
    ["that is empty", translator, [], "RR_EMPTY_PROMPT"],
    ["beyond the vocabulary", translator, [100], "RR_TOKEN_ID"],
    ["that is not an array", translator, "de", "RR_OPTION"],
    [
      "that is omitted if the config has no start token",
      { ...translator, encoder: { ...translator.encoder!, decoderPromptIds: [] } },
      undefined,
      "RR_OPTION",
    ],
  ])("refuses a decoder prompt %s", async (_, different, decoderPrompt, code) => {
    const { result } = modelOf(different).generate([1], { decoderPrompt: decoderPrompt as number[] });
    await expect(result).rejects.toMatchObject({ code });
  });

  it("only runs the encoder if only its outputs are requested", async () => {
    const group = new FakeRankGroup();
    const model = modelOf(translator, group);
    await model.run({ input_ids: [[1]] }, { outputs: ["last_hidden_state"] });
    await model.run({ input_ids: [[1]], decoder_input_ids: [[40]] });
    expect(group.runs.map(({ entry, outputs }) => [entry, outputs])).toEqual([
      ["encode", ["last_hidden_state"]],
      ["decode", ["last_hidden_state", "logits"]],
    ]);
    await expect(model.run({ input_ids: [[1]] })).rejects.toMatchObject({ code: "RR_INPUT" });
  });

  it.each<[string, unknown, Partial<ModelFacts>, string]>([
    ["anything but a list", "a rose", translator, "RR_INPUT"],
    ["no texts", [], translator, "RR_INPUT"],
    ["a list with a hole", new Array(1), translator, "RR_INPUT"],
    ["a text without a tokenizer", ["a rose"], translator, "RR_NO_TOKENIZER"],
    ["ids beyond a source's vocabulary", [[1], [90]], translator, "RR_TOKEN_ID"],
    ["a text without tokens", [[]], translator, "RR_EMPTY_PROMPT"],
    ["anything if the model has no hidden state as an output", [[1]], {}, "RR_NO_EMBED"],
  ])("refuses to embed %s", async (_, texts, different, code) => {
    await expect(modelOf(different).embed(texts as number[][])).rejects.toMatchObject({ code });
  });

  it("says what it got instead of texts to embed", async () => {
    const embedding = modelOf(translator).embed("a rose" as unknown as string[]);
    await expect(embedding).rejects.toThrow('got "a rose"');
  });

  it("leaves no listener on the signal of a generation that has ended, which may live longer", async () => {
    const { signal } = new AbortController();
    await modelOf().generate([1], { signal }).result;
    await setImmediate();
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("does nothing for a generation whose signal is already aborted", async () => {
    const encode = vi.fn(async () => [1]);
    const model = modelOf({}, new FakeRankGroup(), textsOf({ encode }));
    const { result } = model.generate("a rose", { signal: AbortSignal.abort("no") });
    await expect(result).rejects.toBe("no");
    expect(encode).not.toHaveBeenCalled();
  });

  it("ends a generation when its signal is aborted, before its next token", async () => {
    const aborting = new AbortController();
    const group = new FakeRankGroup();
    group.beforeAnswer = () => aborting.abort("enough");
    await expect(modelOf({}, group).generate([1], { signal: aborting.signal }).result).rejects.toBe("enough");
  });

  it("renders messages with the template's variables", async () => {
    const encodeChat = vi.fn(async () => [1]);
    const messages = [
      { role: "user", content: "Who art thou?" },
      { role: "assistant", content: null, tool_calls: [] },
    ];
    const model = modelOf({}, new FakeRankGroup(), textsOf({ encodeChat }));
    await model.generate(messages, { templateVariables: { mode: "verse" } }).result;
    expect(encodeChat).toHaveBeenCalledWith({ messages, variables: { mode: "verse" } }, facts.maxContext);
  });

  it("refuses a template's variables with a prompt that is not messages", async () => {
    const { result } = modelOf().generate([1], { templateVariables: {} });
    await expect(result).rejects.toMatchObject({ code: "RR_OPTION" });
  });

  it("ends the text thread when a rank fails, since nothing needs it any more", () => {
    const group = new FakeRankGroup();
    const close = vi.fn(async () => {});
    modelOf({}, group, { close } as unknown as Offload<TextService>);
    const cause = group.fail();
    expect(close).toHaveBeenCalledWith(expect.objectContaining({ code: "RR_MODEL_FAILED", cause }));
  });

  it("is closed once, after the step that is being computed", async () => {
    const group = new FakeRankGroup();
    const [computing, answer] = [gate(), gate()];
    group.beforeAnswer = () => {
      computing.open();
      return answer.opened;
    };
    const model = modelOf({}, group);
    const { result } = model.generate([1]);
    const ended = expect(result).rejects.toMatchObject({ code: "RR_CLOSED" });
    await computing.opened;
    const isClosed = vi.fn();
    const closing = model.close();
    void closing.then(isClosed);
    expect(model.close()).toBe(closing);
    await setImmediate();
    expect(isClosed).not.toHaveBeenCalled();
    answer.open();
    await closing;
    await ended;
  });

  it("has the text thread forget a generation that has ended", async () => {
    const forget = vi.fn(async () => {});
    const model = modelOf({}, new FakeRankGroup(), textsOf({ forget }));
    await model.generate([1]).result;
    await model.generate([1]).result;
    await setImmediate();
    expect(forget.mock.calls).toEqual([[0], [1]]);
  });

  it("counts the steps and tokens of its work", async () => {
    const model = modelOf();
    await model.generate([1, 2, 3]).result;
    expect(model.counters()).toMatchObject({ steps: 4, tokens: 6 });
  });

  it("can be disposed of, which closes it", async () => {
    const model = modelOf();
    await model[Symbol.asyncDispose]();
    await expect(model.run({ input_ids: [[1]] })).rejects.toMatchObject({ code: "RR_CLOSED" });
  });
});
