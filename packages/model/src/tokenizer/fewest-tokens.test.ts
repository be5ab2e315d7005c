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

it("a byte-level tokenizer makes no fewer tokens of any text", () => {
  const longest = Object.keys(json.model.vocab).reduce((a, b) => (a.length >= b.length ? a : b));
  const repeated = tokenizer.decode([tokenizer.idOf(longest)!]).repeat(50);
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

it("of a text that normalization shortens, the short one counts", () => {
  const fewest = fewestTokensOf({ ...json, normalizer: { type: "NFC" } });
  expect(fewest("e\u0301".repeat(1000))).toBe(fewest("é".repeat(1000)));
});

const split = (fields: object) => ({
  type: "Sequence",
  pretokenizers: [{ type: "Split", ...fields }, { type: "ByteLevel" }],
});

it.each<[string, Partial<TokenizerJson>]>([
  ["letter case is dropped", { normalizer: { type: "Lowercase" } }],
  ["spaces are cut out", { pre_tokenizer: split({ behavior: "Removed" }) }],
  ["all but what is looked for is cut out", { pre_tokenizer: split({ behavior: "Isolated", invert: true }) }],
  ["a text is not taken by its bytes", { pre_tokenizer: { type: "Metaspace" } }],
  ["a byte is in no token", { model: { type: "BPE", vocab: { a: 0 } } }],
  ["bytes have other names at a word's end", { model: { ...json.model, end_of_word_suffix: "</w>" } }],
  ["bytes have other names in a word", { model: { ...json.model, continuing_subword_prefix: "##" } }],
  ["words are looked up", { model: { ...json.model, type: "WordPiece" } }],
  ["an added token takes the spaces before it", { added_tokens: [{ id: 0, content: "<s>", lstrip: true }] }],
  ["an added token takes the spaces after it", { added_tokens: [{ id: 0, content: "<s>", rstrip: true }] }],
])("nothing is said where %s", (_, changes) => {
  expect(fewestTokensOf({ ...json, ...changes })("a".repeat(1000))).toBe(0);
  expect(fewestTokensOf(json)("a".repeat(1000))).toBeGreaterThan(0);
});
