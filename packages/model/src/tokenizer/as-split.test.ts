import { expect, it } from "vitest";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { loadTokenizer } from "./tokenizer.js";

/** Ids of a text by a vocabulary of `pieces`, in which the unknown token, of all that is cut otherwise, is the last. */
function idsOf(pre_tokenizer: object, pieces: readonly string[], text: string): number[] {
  const words = [...new Set(pieces), "<unk>"];
  const vocab = Object.fromEntries(words.map((word, id) => [word, id]));
  const json = {
    ...{ added_tokens: [], normalizer: null, pre_tokenizer, post_processor: null, decoder: null },
    model: { type: "WordPiece", vocab, unk_token: "<unk>", continuing_subword_prefix: "##" },
  };
  return loadTokenizer(temporaryDirectory({ "tokenizer.json": JSON.stringify(json) }))!.encode(text);
}

const split = (pattern: object, behavior: string, invert = false) => ({
  ...{ type: "Split", pattern, behavior, invert },
});
const hyphen = { String: "-" };
const word = { Regex: "[a-z]+" };
const counting = "the-final--countdown-";

// As tokenizers 0.23.3 of Python cuts them.
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
])("%j cuts %j as it does in Rust", (step, text, pieces) => {
  const distinct = [...new Set(pieces)];
  expect(idsOf(step, pieces, text)).toEqual(pieces.map((piece) => distinct.indexOf(piece)));
});

it.each(["Removed", "MergedWithPrevious", "MergedWithNext", "Isolated", "Contiguous"])(
  "ten million characters without what they are cut at are one piece of a Split that is %s",
  (behavior) => {
    const long = "a".repeat(10_000_000);
    expect(idsOf(split(hyphen, behavior), [], long)).toEqual([0]);
  },
);
