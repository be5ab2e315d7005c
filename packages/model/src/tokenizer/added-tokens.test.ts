import { expect, it } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { loadTokenizer, type Tokenizer } from "./tokenizer.js";

/** A byte-level tokenizer with `</s>` in its vocabulary, and the given added tokens. */
function tokenizerOf(
  config: object,
  { added = [], files = {} }: { added?: readonly object[]; files?: Record<string, string> } = {},
): Tokenizer {
  const json = {
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: true },
    post_processor: null,
    decoder: { type: "ByteLevel" },
    model: { type: "BPE", vocab: { a: 0, Ġ: 1, b: 2, "</s>": 3 }, merges: [] },
  };
  return loadTokenizer(
    temporaryDirectory({
      "tokenizer.json": JSON.stringify(json),
      "tokenizer_config.json": JSON.stringify(config),
      ...files,
    }),
  )!;
}

const end = { content: "</s>", lstrip: false, rstrip: false, normalized: false, special: true };
const text = "a </s>b";

// Ids and texts are those of transformers 5.18 for the same files.
it.each<[string, object]>([
  ["has a role", { eos_token: "</s>" }],
  ["has a role, with settings for how it is matched", { eos_token: end }],
  ["is one of the additional special tokens", { additional_special_tokens: ["</s>"] }],
  ["has a name of the model's own", { image_token: "</s>" }],
  ["has a name among the extra special tokens", { extra_special_tokens: { end: "</s>" } }],
  ["is one of the extra special tokens", { extra_special_tokens: ["</s>"] }],
  ["is in added_tokens_decoder", { added_tokens_decoder: { 3: end } }],
])("a token of the vocabulary is matched in a text, and is special, if it %s", (_, config) => {
  const tokenizer = tokenizerOf(config);
  expect(tokenizer.encode(text)).toEqual([0, 1, 3, 2]);
  expect(tokenizer.decode([0, 3, 2])).toBe("ab");
});

// The texts of transformers 5.24, too.
it.each<[string, object, object, string]>([
  ["counts before tokenizer_config.json", {}, { eos_token: "b" }, "a</s>"],
  ["can leave a role without a token", {}, { eos_token: null }, "a</s>b"],
  ["can have additional special tokens", {}, { additional_special_tokens: ["b"] }, "a"],
  [
    "is not read besides added_tokens_decoder",
    { added_tokens_decoder: { 3: end } },
    { eos_token: "b" },
    "ab",
  ],
])("special_tokens_map.json %s", (_, listed, map, decoded) => {
  const files = { "special_tokens_map.json": JSON.stringify(map) };
  const tokenizer = tokenizerOf({ eos_token: "</s>", ...listed }, { files });
  expect(tokenizer.decode([0, 3, 2])).toBe(decoded);
});

it("a token can have its role in special_tokens_map.json", () => {
  const files = { "special_tokens_map.json": JSON.stringify({ eos_token: "</s>" }) };
  expect(tokenizerOf({}, { files }).encode(text)).toEqual([0, 1, 3, 2]);
});

it("added_tokens_decoder overrides tokenizer.json in how tokens are matched, also by what it leaves out", () => {
  const added = [{ ...end, id: 3 }];
  const config = { added_tokens_decoder: { 3: { ...end, lstrip: true } } };
  expect(tokenizerOf({}, { added }).encode(text)).toEqual([0, 1, 3, 2]);
  expect(tokenizerOf(config, { added }).encode(text)).toEqual([0, 3, 2]);
  const stripped = [{ ...end, id: 3, lstrip: true }];
  const plain = { added_tokens_decoder: { 3: { content: "</s>", special: true } } };
  expect(tokenizerOf(plain, { added: stripped }).encode(text)).toEqual([0, 1, 3, 2]);
});

it("a token that only gets a role is matched as tokenizer.json says", () => {
  const added = [{ ...end, id: 3, lstrip: true }];
  expect(tokenizerOf({ eos_token: "</s>" }, { added }).encode(text)).toEqual([0, 3, 2]);
});

it("added_tokens_decoder adds tokens at the vocabulary's end, in the order of their ids", () => {
  const config = { added_tokens_decoder: { 5: { content: "<y>" }, 4: { content: "<x>" } } };
  expect(tokenizerOf(config).encode("a<x><y>b")).toEqual([0, 4, 5, 2]);
  // A token that tokenizer.json adds with an id of the vocabulary does not move the end.
  const added = [{ ...end, id: 3 }];
  expect(tokenizerOf(config, { added }).encode("a<x><y>b")).toEqual([0, 4, 5, 2]);
});

it("a token keeps its id in tokenizer.json if added_tokens_decoder has another", () => {
  expect(tokenizerOf({ added_tokens_decoder: { 2: end } }).encode(text)).toEqual([0, 1, 3, 2]);
});

it.each(["<end>", "toString"])("ignores a role of %s, which is not in the vocabulary", (eos_token) => {
  expect(tokenizerOf({ eos_token }).encode(`a${eos_token}b`)).toEqual([0, 2]);
});

it("a token with a role is special, even if tokenizer.json says that it is not", () => {
  const added = [{ ...end, id: 3, special: false }];
  expect(tokenizerOf({}, { added }).decode([0, 3, 2])).toBe("a</s>b");
  expect(tokenizerOf({ eos_token: "</s>" }, { added }).decode([0, 3, 2])).toBe("ab");
});

it.each<[string, object]>([
  ["an id that does not follow the vocabulary", { 9: { content: "<x>" } }],
  ["no content", { 4: {} }],
  ["an invalid id", { x: { content: "<x>" } }],
])("added_tokens_decoder with %s is RR_FILE_FORMAT", (_, added_tokens_decoder) => {
  const error = expectCode("RR_FILE_FORMAT", () => tokenizerOf({ added_tokens_decoder }));
  expect(error.message).toContain("tokenizer_config.json");
});
