import { RingrankError } from "@ringrank/errors";
import {
  buildGraph,
  type GenerationConfig,
  type JsonObject,
  openCheckpoint,
  readGenerationConfig,
} from "@ringrank/model";
import { describe, expect, it } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { shakespeareDirectory, zooDirectory } from "../../../model/src/testing/fixtures.js";
import { describeModel } from "./describe-model.js";

const { config, directory, tensors } = openCheckpoint(shakespeareDirectory);
const built = { ...buildGraph({ config, tensors }), config };
const { graph } = built;
const generation = readGenerationConfig(directory, config);

const value = (name: string) => ({ name, type: "int64" as const, dims: ["batch"] });
const caches = [
  {
    positions: "encoder_positions",
    filledBy: "encode",
    states: [{ past: "encoded", present: "cross", axis: 1 }],
  },
];
const entries = {
  encode: { inputs: ["input_ids"], outputs: ["cross", "last_hidden_state"] },
  decode: { inputs: ["decoder_input_ids", "encoder_positions", "encoded"], outputs: ["logits"] },
};
/** Stands for an encoder–decoder: only its inputs and outputs are those of one. */
const seq2seq = {
  ...graph,
  inputs: ["input_ids", "decoder_input_ids", "encoder_positions", "encoded"].map(value),
  outputs: ["cross", "last_hidden_state", "logits"].map(value),
  caches,
  entries,
};

describe("the facts about a model", () => {
  it("include the caller's inputs and outputs, without caches", () => {
    const facts = describeModel(built, generation);
    expect(facts.inputs.map(({ name }) => name)).toEqual(["input_ids", "attention_mask", "position_ids"]);
    expect(facts.outputs).toEqual(["logits"]);
  });

  it("include its context, vocabulary and end-of-sequence tokens", () => {
    expect(describeModel(built, generation)).toMatchObject({
      maxContext: 512,
      vocabSize: 2048,
      eosIds: [2],
      generates: true,
    });
  });

  it("have the config's vocabulary if there are no logits, as in a bare encoder, else the table's", () => {
    const bare = { ...graph, outputs: graph.outputs.filter(({ name }) => name !== "logits") };
    const of = (graph: typeof bare, config: JsonObject) =>
      describeModel({ ...built, graph, config }, generation).vocabSize;
    expect(of(bare, { vocab_size: 2000 })).toBe(2000);
    expect(of(bare, { n_words: 2000 })).toBe(2000);
    expect(of(bare, {})).toBe(2048);
    expect(of({ ...bare, nodes: [] }, {})).toBeUndefined();
  });

  it("include how many rows caches keep, and on what these depend", () => {
    const all = { rows: Number.POSITIVE_INFINITY, recurrent: false, dependsOnMore: false };
    expect(describeModel(built, generation).cacheLimits).toEqual(all);
  });

  it("say why there is no cache, if something looks like one", () => {
    const obstacle = new RingrankError("RR_NO_GENERATE", "a past of unknown axes");
    expect(describeModel({ ...built, obstacle }, generation).obstacle).toBe("a past of unknown axes");
    expect(describeModel(built, generation).obstacle).toBeUndefined();
  });

  it("include how many rows tables have for its inputs", () => {
    expect(describeModel(built, generation).lookedUp).toEqual({ input_ids: 2048 });
  });

  it("say that a step takes one token if the graph does not take any number", () => {
    const ofOne = graph.inputs.map((input) =>
      input.name === "input_ids" ? { ...input, dims: ["batch", 1] } : input,
    );
    const one = { ...built, graph: { ...graph, inputs: ofOne } };
    expect(describeModel(one, generation).takesOneToken).toBe(true);
    expect(describeModel(built, generation).takesOneToken).toBeUndefined();
  });

  it("include the limits of an encoder's own token and position tables", () => {
    const describe = (name: string) => {
      const { config, directory, tensors } = openCheckpoint(zooDirectory(name));
      return describeModel(
        { ...buildGraph({ config, tensors }), config },
        readGenerationConfig(directory, config),
      );
    };
    const [led, fsmt] = [describe("led"), describe("fsmt")];
    expect(led).toMatchObject({ maxContext: 28, encoder: { maxContext: 48, vocabSize: 112 } });
    expect(fsmt).toMatchObject({
      vocabSize: 112,
      maxContext: 48,
      encoder: { maxContext: 48, vocabSize: 144 },
    });
  });

  it("have no context limit if the model has none", () => {
    expect(describeModel({ ...built, maxContext: undefined }, generation).maxContext).toBeUndefined();
  });

  it("include sampling as in generation_config.json, only if it says so", () => {
    const defaults = { temperature: 0.8, topP: 0.95, repetitionPenalty: 1.1, noRepeatNgramSize: 3 };
    const of = (doSample: boolean) =>
      describeModel(built, {
        defaults: { ...defaults, doSample },
        eosTokenIds: [],
        forcedEosTokenIds: [],
        decoderPromptIds: [],
        unsupported: [],
      }).generationDefaults;
    expect(of(true)).toMatchObject({ temperature: 0.8, topP: 0.95, repetitionPenalty: 1.1 });
    expect(of(false)).toMatchObject({ temperature: 0, repetitionPenalty: 1.1, noRepeatNgramSize: 3 });
    expect(of(false).topP).toBeUndefined();
  });

  it("have the defaults of transformers for what generation_config.json does not say: greedy, else temperature 1", () => {
    const of = (defaults: GenerationConfig["defaults"]) =>
      describeModel(built, { ...generation, defaults }).generationDefaults;
    expect(of({ topP: 0.5, maxNewTokens: 7 })).toMatchObject({ temperature: 0, maxNewTokens: 7 });
    expect(of({ doSample: true, topP: 0.5 })).toMatchObject({ temperature: 1, topP: 0.5 });
  });

  it("are refused if the forced end of the generation config is not a token", () => {
    expect(describeModel(built, { ...generation, forcedEosTokenIds: [2047] }).forcedEosIds).toEqual([2047]);
    expectCode("RR_CONFIG", () => describeModel(built, { ...generation, forcedEosTokenIds: [2048] }));
  });

  it("are not refused for a forced end if the vocabulary is unknown", () => {
    const unknown = { ...built, graph: { ...graph, outputs: [], nodes: [] }, config: {} };
    const { forcedEosIds } = describeModel(unknown, { ...generation, forcedEosTokenIds: [2048] });
    expect(forcedEosIds).toEqual([2048]);
  });

  it("name an encoder's own inputs and outputs, and the beginning of a target", () => {
    const facts = describeModel({ ...built, graph: seq2seq }, { ...generation, decoderPromptIds: [2, 7] });
    expect(facts.inputs.map(({ name }) => name)).toEqual(["input_ids", "decoder_input_ids"]);
    expect(facts.outputs).toEqual(["last_hidden_state", "logits"]);
    expect(facts.encoder).toMatchObject({
      inputs: ["input_ids"],
      outputs: ["last_hidden_state"],
      decoderPromptIds: [2, 7],
    });
  });

  it("say that a step takes one token if a decoder does, however many its encoder takes", () => {
    const of = (decoded: "length" | 1) => {
      const inputs = seq2seq.inputs.map((input) => {
        const dims = ["batch", input.name === "decoder_input_ids" ? decoded : "source"];
        return { ...input, dims };
      });
      return describeModel({ ...built, graph: { ...seq2seq, inputs } }, generation).takesOneToken;
    };
    expect([of(1), of("length")]).toEqual([true, undefined]);
  });

  it("say that it cannot generate without a causal cache, or without logits", () => {
    for (const lacking of [
      { caches: [] },
      { outputs: graph.outputs.filter(({ name }) => name !== "logits") },
    ]) {
      expect(describeModel({ ...built, graph: { ...graph, ...lacking } }, generation).generates).toBe(false);
    }
  });
});
