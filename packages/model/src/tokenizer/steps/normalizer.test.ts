import { expect, it } from "vitest";
import { normalizerOf } from "./normalizer.js";

const bert = (switches: object) => ({
  type: "BertNormalizer",
  ...{ clean_text: false, handle_chinese_chars: false, strip_accents: null, lowercase: false },
  ...switches,
});
const replace = (pattern: object, content: string) => ({ type: "Replace", pattern, content });

// The results of tokenizers 0.23.3 for Python.
it.each<[string, object, string, string]>([
  ["a final sigma is like any other", { type: "Lowercase" }, "ΟΔΟΣ İ", "οδοσ i\u0307"],
  ["and so in BERT, whose lower case strips accents", bert({ lowercase: true }), "ΟΔΟΣ Été", "οδοσ ete"],
  ["unless it is told not to", bert({ lowercase: true, strip_accents: false }), "Été", "été"],
  ["accents can be stripped without lower case", bert({ strip_accents: true }), "Été", "Ete"],
  [
    "control characters are dropped",
    bert({ clean_text: true }),
    "a\0\u200d\ufffd\ue000\u{e0067}b\u0085",
    "ab",
  ],
  ["and all spaces become blanks", bert({ clean_text: true }), "b\tc\u00a0d\u2028", "b c d "],
  [
    "Chinese characters are surrounded by spaces",
    bert({ handle_chinese_chars: true }),
    "a漢𠀀한b",
    "a 漢  𠀀 한b",
  ],
  [
    "spaces are those of Unicode",
    { type: "Strip", strip_left: true, strip_right: true },
    "\u0085\u3000 a b\ufeff \u2029",
    "a b\ufeff",
  ],
  ["and can be stripped on one side", { type: "Strip", strip_left: false, strip_right: true }, " a ", " a"],
  ["marks of all kinds are accents", { type: "StripAccents" }, "e\u0301\u093f\u20dd", "e"],
  ["a replacement is plain text", replace({ String: "." }, "$&"), "a.b", "a$&b"],
  ["even for a regular expression", replace({ Regex: "(a)(b)?" }, "$1x"), "abac", "$1x$1xc"],
  ["a run is one match", replace({ Regex: " {2,}" }, " "), "a   b c", "a b c"],
  ["an empty match does not follow another match", replace({ Regex: "b*" }, "-"), "abba", "-a-a-"],
  ["a text is put before", { type: "Prepend", prepend: "▁" }, "a", "▁a"],
  ["but not before an empty text", { type: "Prepend", prepend: "▁" }, "", ""],
  ["normal forms are those of Unicode", { type: "NFKC" }, "ﬁ①", "fi1"],
  ["SentencePiece's spaces", { type: "Nmt" }, "a\u0001\u200b\tb\u2581\u0085\u00a0", "a  b \u0085\u00a0"],
  ["bytes become symbols", { type: "ByteLevel" }, "é a", "Ã©Ġa"],
  [
    "steps are applied in sequence",
    { type: "Sequence", normalizers: [{ type: "NFD" }, { type: "StripAccents" }, { type: "Lowercase" }] },
    "ÉΣ",
    "eσ",
  ],
])("%s: %j turns %j into %j", (_, step, text, expected) => {
  expect(normalizerOf(step)(text)).toBe(expected);
});

it("strips spaces only at the ends of ten million characters, in linear time", () => {
  const inner = `a${" ".repeat(10_000_000)}b`;
  const strip = { type: "Strip", strip_left: true, strip_right: true };
  expect(normalizerOf(strip)(` ${inner} `)).toBe(inner);
});

it.each<[string, object]>([
  ["Unknown Normalizer type: Abacus", { type: "Abacus" }],
  ['expected "prepend" to be a text', { type: "Prepend" }],
  ['expected "strip_left" to be true or false', { type: "Strip", strip_left: 1 }],
  ['expected "pattern" to be a String or a Regex', replace({}, "")],
  ['expected "normalizers" to be a list of objects', { type: "Sequence", normalizers: [1] }],
  ['expected "precompiled_charsmap" to have rules', { type: "Precompiled", precompiled_charsmap: "AAAA" }],
])("refuses an invalid step: %s", (message, step) => {
  expect(() => normalizerOf(step)).toThrow(message);
});
