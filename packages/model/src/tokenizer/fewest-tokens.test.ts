import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { shakespeareDirectory } from "../testing/fixtures.js";
import { fewestTokensOf } from "./fewest-tokens.js";
import { loadTokenizer } from "./tokenizer.js";
import type { TokenizerJson } from "./tokenizer-json.js";

const json = JSON.parse(readFileSync(join(shakespeareDirectory, "tokenizer.json"), "utf8")) as TokenizerJson;
const tokenizer = loadTokenizer(shakespeareDirectory)!;

it("is a lower bound for any text with a byte-level tokenizer", () => {
  const [, longest] = Object.entries(json.model.vocab as Record<string, number>).reduce((a, b) =>
    a[0].length >= b[0].length ? a : b,
  );
  const repeated = tokenizer.decode([longest]).repeat(50);
  const text = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.string({ unit: "binary" }),
    fc.constant(repeated),
  );
  fc.assert(
    fc.property(text, (value) => {
      const { length } = tokenizer.encode(value, { addSpecialTokens: false });
      expect(tokenizer.fewestTokens(value)).toBeLessThanOrEqual(length);
    }),
    { seed: 1, numRuns: 300 },
  );
  expect(tokenizer.fewestTokens(repeated)).toBeGreaterThan(40);
});

it("uses the normalized text if normalization shortens it", () => {
  const fewest = fewestTokensOf({ ...json, normalizer: { type: "NFC" } });
  expect(fewest("e\u0301".repeat(1000))).toBe(fewest("é".repeat(1000)));
});

it("counts a text of added tokens as these, whose characters may have several bytes", () => {
  const added = { id: 0, content: "é".repeat(100) };
  expect(fewestTokensOf({ ...json, added_tokens: [added] })(added.content.repeat(10))).toBe(10);
});

const split = (fields: object) => ({
  type: "Sequence",
  pretokenizers: [{ type: "Split", ...fields }, { type: "ByteLevel" }],
});

it.each<[string, Partial<TokenizerJson>]>([
  ["letter case is dropped", { normalizer: { type: "Lowercase" } }],
  ["spaces are removed", { pre_tokenizer: split({ behavior: "Removed" }) }],
  ["all but the matches are removed", { pre_tokenizer: split({ behavior: "Isolated", invert: true }) }],
  ["the tokenizer is not byte-level", { pre_tokenizer: { type: "Metaspace" } }],
  ["no step turns bytes into symbols", { pre_tokenizer: null }],
  ["a byte has no token", { model: { type: "BPE", vocab: { a: 0 } } }],
  ["bytes have a suffix at the end of a word", { model: { ...json.model, end_of_word_suffix: "</w>" } }],
  ["bytes have a prefix within a word", { model: { ...json.model, continuing_subword_prefix: "##" } }],
  ["the model is WordPiece", { model: { ...json.model, type: "WordPiece" } }],
  [
    "an added token includes the spaces before it",
    { added_tokens: [{ id: 0, content: "<s>", lstrip: true }] },
  ],
  [
    "an added token includes the spaces after it",
    { added_tokens: [{ id: 0, content: "<s>", rstrip: true }] },
  ],
])("is 0 if %s", (_, changes) => {
  expect(fewestTokensOf({ ...json, ...changes })("a".repeat(1000))).toBe(0);
  expect(fewestTokensOf(json)("a".repeat(1000))).toBeGreaterThan(0);
});
