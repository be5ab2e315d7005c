import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { readGenerationConfig } from "./generation-config.js";

const shakespeare = fileURLToPath(new URL("../../../cli/models/shakespeare-llama", import.meta.url));

const read = (fields: object, config = {}) =>
  readGenerationConfig(temporaryDirectory({ "generation_config.json": JSON.stringify(fields) }), config);

test("reads the embedded model's defaults", () => {
  expect(readGenerationConfig(shakespeare, {})).toEqual({
    defaults: { doSample: true, temperature: 0.8, topP: 0.95 },
    eosTokenIds: [2],
    forcedEosTokenIds: [],
    decoderPromptIds: [],
    unsupported: [],
  });
});

test("uses every end-of-sequence id", () => {
  expect(read({ eos_token_id: [128001, 128009, 128001] }).eosTokenIds).toEqual([128001, 128009]);
  expect(read({ eos_token_id: 0 }).eosTokenIds).toEqual([0]);
});

test("uses the config's end-of-sequence id if the generation config has none", () => {
  expect(read({}, { eos_token_id: 7 }).eosTokenIds).toEqual([7]);
  expect(read({ eos_token_id: 8 }, { eos_token_id: 7 }).eosTokenIds).toEqual([8]);
  expect(readGenerationConfig(temporaryDirectory(), { eos_token_id: [1, 2] }).eosTokenIds).toEqual([1, 2]);
  expect(readGenerationConfig(temporaryDirectory(), {}).eosTokenIds).toEqual([]);
});

test("uses the config's own fields if there is no generation config, as in old models", () => {
  const config = {
    do_sample: true,
    top_k: 5,
    no_repeat_ngram_size: 3,
    num_beams: 4,
    min_length: 8,
    hidden_size: 64,
  };
  expect(readGenerationConfig(temporaryDirectory(), config)).toMatchObject({
    defaults: { doSample: true, topK: 5, noRepeatNgramSize: 3 },
    unsupported: ["num_beams", "min_length"],
  });
  expect(read({}, config)).toMatchObject({ defaults: {}, unsupported: [] });
});

test("uses every forced end-of-sequence id, but only of the generation config", () => {
  expect(read({ forced_eos_token_id: 2 }).forcedEosTokenIds).toEqual([2]);
  expect(read({ forced_eos_token_id: [2, 3] })).toMatchObject({ forcedEosTokenIds: [2, 3], unsupported: [] });
  expect(read({}, { forced_eos_token_id: 2 }).forcedEosTokenIds).toEqual([]);
});

test("an encoder–decoder's target begins with its start token, then the forced token", () => {
  const config = { is_encoder_decoder: true, decoder_start_token_id: 5, bos_token_id: 1 };
  expect(read({}, config).decoderPromptIds).toEqual([5]);
  const forced = read({ decoder_start_token_id: 2, forced_bos_token_id: 9 }, config);
  expect(forced).toMatchObject({ decoderPromptIds: [2, 9], unsupported: [] });
  expect(read({ bos_token_id: 3 }, { is_encoder_decoder: true }).decoderPromptIds).toEqual([3]);
  expect(read({}, { is_encoder_decoder: true }).decoderPromptIds).toEqual([]);
});

test("does not support a forced first token without an encoder", () => {
  const { decoderPromptIds, unsupported } = read({ bos_token_id: 1, forced_bos_token_id: 9 });
  expect(decoderPromptIds).toEqual([]);
  expect(unsupported).toEqual(["forced_bos_token_id"]);
});

test("names unsupported fields that have an effect", () => {
  const fields = { num_beams: 4, typical_p: 0.9, encoder_no_repeat_ngram_size: 3, suppress_tokens: [1, 2] };
  expect(read(fields).unsupported.toSorted()).toEqual(Object.keys(fields).sort());
});

test("does not support more than one sequence, or a time limit", () => {
  expect(read({ num_return_sequences: 2, max_time: 1.5 }).unsupported).toEqual([
    "max_time",
    "num_return_sequences",
  ]);
  expect(read({ num_return_sequences: 1, max_time: null }).unsupported).toEqual([]);
});

test("does not name unsupported fields that have no effect", () => {
  const neutral = {
    num_beams: 1,
    typical_p: 1.0,
    encoder_no_repeat_ngram_size: 0,
    suppress_tokens: [],
    guidance_scale: null,
  };
  expect(read({ ...neutral, transformers_version: "5.0", use_cache: true }).unsupported).toEqual([]);
});

test.each([
  { temperature: "hot" },
  { top_p: 1.5 },
  { top_k: -1 },
  { no_repeat_ngram_size: 1.5 },
  { forced_eos_token_id: "</s>" },
  { eos_token_id: -1 },
  { max_new_tokens: 0 },
])("refuses %j", (fields) => {
  expectCode("RR_CONFIG", () => read(fields));
});
