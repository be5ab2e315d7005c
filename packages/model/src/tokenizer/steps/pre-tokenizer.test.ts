import { expect, it } from "vitest";
import { preTokenizerOf } from "./pre-tokenizer.js";

function piecesOf(step: object, text: string): string[] {
  return preTokenizerOf(step)(text, true).filter((piece) => piece !== "");
}

const split = (pattern: object, behavior: string, invert = false) => ({
  ...{ type: "Split", pattern, behavior, invert },
});
const metaspace = (prepend_scheme: string) => ({ type: "Metaspace", replacement: "▁", prepend_scheme });
const sequence = (...pretokenizers: object[]) => ({ type: "Sequence", pretokenizers });
const hyphen = { String: "-" };
const word = { Regex: "[a-z]+" };
const counting = "the-final--countdown-";

// The results of tokenizers 0.23.3 for Python.
it.each<[object, string, string[]]>([
  [{ type: "Digits", individual_digits: true }, "a½٣4²", ["a", "½", "٣", "4", "²"]],
  [{ type: "Digits", individual_digits: false }, "a½٣4b", ["a", "½٣4", "b"]],
  [{ type: "Punctuation", behavior: "Isolated" }, "a...b!", ["a", ".", ".", ".", "b", "!"]],
  [{ type: "Punctuation", behavior: "Contiguous" }, "a...b!", ["a", "...", "b", "!"]],
  [{ type: "Punctuation", behavior: "Removed" }, "a...b!", ["a", "b"]],
  [{ type: "Whitespace" }, "naïve мир 日本!? a\u200db", ["naïve", "мир", "日本", "!?", "a\u200db"]],
  [{ type: "WhitespaceSplit" }, "a\ufeffb\u0085c d", ["a\ufeffb", "c", "d"]],
  [split(hyphen, "MergedWithPrevious"), counting, ["the-", "final-", "-", "countdown-"]],
  [split(word, "MergedWithPrevious", true), counting, ["the-", "final--", "countdown-"]],
  [split(hyphen, "MergedWithNext"), counting, ["the", "-final", "-", "-countdown", "-"]],
  [split(word, "MergedWithNext", true), counting, ["the", "-final", "--countdown", "-"]],
  [split(hyphen, "Contiguous"), counting, ["the", "-", "final", "--", "countdown", "-"]],
  [split(word, "Isolated", true), counting, ["the", "-", "final", "--", "countdown", "-"]],
  [split(hyphen, "Removed"), counting, ["the", "final", "countdown"]],
  [split(word, "Removed", true), counting, ["the", "final", "countdown"]],
  [split({ Regex: "(-)(x)?" }, "Removed"), "a-b-xc", ["a", "b", "c"]],
  [split({ Regex: "(?<=a)-" }, "Removed"), "a-b-c", ["a", "b-c"]],
  [split({ Regex: "(?=[A-Z])" }, "Removed"), "camelCase", ["camel", "Case"]],
  [split({ Regex: "[(]|\\)|[[:digit:](]" }, "Removed"), "a(b)1c", ["a", "b", "c"]],
  [split({ Regex: "(?<dash>-)" }, "MergedWithNext"), counting, ["the", "-final", "-", "-countdown", "-"]],
  [{ type: "BertPreTokenizer" }, "it's\u0085日a\ufeffb...", ["it", "'", "s", "日a\ufeffb", ".", ".", "."]],
  [split({ Regex: "b*" }, "Isolated"), "abba", ["a", "bb", "a"]],
  [split({ String: "a" }, "MergedWithPrevious", true), "baab", ["b", "a", "ab"]],
  [metaspace("always"), "a b  c", ["▁a", "▁b", "▁", "▁c"]],
  [{ ...metaspace("always"), split: false }, "a b", ["▁a▁b"]],
  [metaspace("never"), "a b", ["a", "▁b"]],
  [metaspace("always"), "▁a b", ["▁a", "▁b"]],
  [sequence({ type: "WhitespaceSplit" }, metaspace("always")), "a b", ["▁a", "▁b"]],
  [sequence({ type: "WhitespaceSplit" }, metaspace("first")), "a b", ["▁a", "b"]],
  [sequence({ type: "WhitespaceSplit" }, metaspace("first")), " a b", ["a", "b"]],
  [{ type: "CharDelimiterSplit", delimiter: "." }, "a..b.", ["a", "b"]],
  [{ type: "FixedLength", length: 2 }, "a😀bcd", ["a😀", "bc", "d"]],
  [{ type: "FixedLength" }, "abcdefg", ["abcde", "fg"]],
  [{ type: "BertPreTokenizer" }, "a,b.. c\u0085d\ufeffe $", ["a", ",", "b", ".", ".", "c", "d\ufeffe", "$"]],
  [
    sequence({ type: "Digits", individual_digits: true }, { type: "ByteLevel", add_prefix_space: false }),
    "ab12 é",
    ["ab", "1", "2", "ĠÃ©"],
  ],
  [sequence({ type: "ByteLevel", use_regex: false }, { type: "Digits" }), "a1", ["Ġa", "1"]],
  [sequence(), "a b", ["a b"]],
])("%j splits %j as in Rust", (step, text, pieces) => {
  expect(piecesOf(step, text)).toEqual(pieces);
});

it.each(["Removed", "MergedWithPrevious", "MergedWithNext", "Isolated", "Contiguous"])(
  "a Split with %s keeps ten million characters without a match in one piece",
  (behavior) => {
    const long = "a".repeat(10_000_000);
    expect(piecesOf(split(hyphen, behavior), long)).toEqual([long]);
  },
);

it.each<[string, object]>([
  ["Unknown PreTokenizer type: Abacus", { type: "Abacus" }],
  ["unknown behavior of a pre-tokenizer: Melted", split(hyphen, "Melted")],
  ["unknown behavior of a pre-tokenizer: toString", split(hyphen, "toString")],
  ['expected "length" to be 1 or more', { type: "FixedLength", length: 0 }],
  ['expected "delimiter" to be one character', { type: "CharDelimiterSplit", delimiter: "ab" }],
  ['expected "add_prefix_space" to be true or false', { type: "ByteLevel", add_prefix_space: "yes" }],
])("refuses an invalid step: %s", (message, step) => {
  expect(() => preTokenizerOf(step)).toThrow(message);
});
