import { expect, it } from "vitest";
import { normalizerOf } from "./normalizer.js";

const bert = (switches: object) => ({
  type: "BertNormalizer",
  ...{ clean_text: false, handle_chinese_chars: false, strip_accents: null, lowercase: false },
  ...switches,
});
const replace = (pattern: object, content: string) => ({ type: "Replace", pattern, content });

// As tokenizers 0.23.3 of Python normalizes them.
it.each<[string, object, string, string]>([
  ["a sigma at the end is as any", { type: "Lowercase" }, "ΟΔΟΣ İ", "οδοσ i\u0307"],
  ["and so for BERT, which strips accents with case", bert({ lowercase: true }), "ΟΔΟΣ Été", "οδοσ ete"],
  ["or does not", bert({ lowercase: true, strip_accents: false }), "Été", "été"],
  ["or does without", bert({ strip_accents: true }), "Été", "Ete"],
  ["controls are dropped", bert({ clean_text: true }), "a\0\u200d\ufffd\ue000\u{e0067}b\u0085", "ab"],
  ["and spaces are blank", bert({ clean_text: true }), "b\tc\u00a0d\u2028", "b c d "],
  ["Chinese stands alone", bert({ handle_chinese_chars: true }), "a漢𠀀한b", "a 漢  𠀀 한b"],
  [
    "spaces are Unicode's",
    { type: "Strip", strip_left: true, strip_right: true },
    "\u0085\u3000 a b\ufeff \u2029",
    "a b\ufeff",
  ],
  ["of one side", { type: "Strip", strip_left: false, strip_right: true }, " a ", " a"],
  ["marks of all kinds are accents", { type: "StripAccents" }, "e\u0301\u093f\u20dd", "e"],
  ["what replaces is a text", replace({ String: "." }, "$&"), "a.b", "a$&b"],
  ["even of a pattern", replace({ Regex: "(a)(b)?" }, "$1x"), "abac", "$1x$1xc"],
  ["a row is one", replace({ Regex: " {2,}" }, " "), "a   b c", "a b c"],
  ["nothing is found once", replace({ Regex: "b*" }, "-"), "abba", "-a-a-"],
  ["something is put before", { type: "Prepend", prepend: "▁" }, "a", "▁a"],
  ["but not before nothing", { type: "Prepend", prepend: "▁" }, "", ""],
  ["forms are Unicode's", { type: "NFKC" }, "ﬁ①", "fi1"],
  ["SentencePiece's spaces", { type: "Nmt" }, "a\u0001\u200b\tb\u2581\u0085\u00a0", "a  b \u0085\u00a0"],
  ["bytes have symbols", { type: "ByteLevel" }, "é a", "Ã©Ġa"],
  [
    "steps follow each other",
    { type: "Sequence", normalizers: [{ type: "NFD" }, { type: "StripAccents" }, { type: "Lowercase" }] },
    "ÉΣ",
    "eσ",
  ],
])("%s: %j makes of %j %j", (_, step, text, expected) => {
  expect(normalizerOf(step)(text)).toBe(expected);
});

it("ten million characters are stripped of spaces at their ends, and of none between", () => {
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
])("a step that cannot be taken is an error: %s", (message, step) => {
  expect(() => normalizerOf(step)).toThrow(message);
});
