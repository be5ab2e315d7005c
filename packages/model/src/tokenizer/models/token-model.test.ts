import { describe, expect, it, test } from "vitest";
import { expectCode } from "../../../../../test/support/coded-error.js";
import type { TokenizerJson } from "../tokenizer-json.js";
import { tokenModelOf } from "./token-model.js";

type Model = TokenizerJson["model"];

function idsOf(model: Model, piece: string): number[] {
  const ids: number[] = [];
  tokenModelOf(model).tokenize(piece, ids);
  return ids;
}

const vocabulary = (...tokens: string[]) => Object.fromEntries(tokens.map((token, id) => [token, id]));

// All results are those of tokenizers 0.23.3 for Python.
describe("BPE", () => {
  const model = (vocab: Record<string, number>, merges: unknown[], fields = {}): Model => ({
    ...{ type: "BPE", vocab, merges },
    ...fields,
  });
  const letters = vocabulary("a", "b", "c", "ab", "bc", "abc", "<unk>");

  it.each([
    ["abc", [5]],
    ["aabb", [0, 3, 1]],
    ["abbc", [3, 4]],
  ])("applies merges in the order of the list: %s", (piece, ids) => {
    const merges = [
      ["b", "c"],
      ["a", "b"],
      ["a", "bc"],
    ];
    expect(idsOf(model(letters, merges), piece)).toEqual(ids);
  });

  it("accepts a merge written as one text", () => {
    expect(idsOf(model(letters, ["a b", "ab c"]), "abc")).toEqual([5]);
  });

  it("applies equal merges from left to right", () => {
    const merges = ["a a", "aa a"];
    expect(idsOf(model(vocabulary("a", "aa", "aaa"), merges), "aaaaa")).toEqual([1, 2]);
  });

  it("looks up a piece as a whole if merges are ignored", () => {
    expect(idsOf(model(letters, [], { ignore_merges: true }), "abc")).toEqual([5]);
    expect(idsOf(model(letters, [], { ignore_merges: true }), "abca")).toEqual([0, 1, 2, 0]);
  });

  it.each([
    [false, [0, 6, 6, 1]],
    [true, [0, 6, 1]],
  ])("with fuse_unk %s, has one unknown token per unknown character (false) or per run (true)", (fuse_unk, ids) => {
    expect(idsOf(model(letters, [], { unk_token: "<unk>", fuse_unk }), "axxb")).toEqual(ids);
  });

  it("looks up the rest of a word with its prefix", () => {
    const vocab = vocabulary("a", "##a", "##b", "a##b", "ab", "##ab");
    const within = model(vocab, ["a ##b", "##a ##b"], { continuing_subword_prefix: "##" });
    expect(idsOf(within, "ab")).toEqual([4]);
    expect(idsOf(within, "aab")).toEqual([0, 5]);
  });

  it("looks up the end of a word with its suffix", () => {
    const ending = model(vocabulary("a", "b", "b</w>", "ab</w>"), ["a b</w>"], {
      end_of_word_suffix: "</w>",
    });
    expect(idsOf(ending, "ab")).toEqual([3]);
    expect(idsOf(ending, "bab")).toEqual([1, 3]);
  });

  it("falls back to bytes for characters that are not in the vocabulary, and merges these", () => {
    const vocab = vocabulary("a", "<0xC3>", "<0xA9>", "<unk>", "<0xC3><0xA9>");
    const bytes = model(vocab, ["<0xC3> <0xA9>"], { byte_fallback: true, unk_token: "<unk>" });
    expect(idsOf(bytes, "aé")).toEqual([0, 4]);
    // The vocabulary lacks bytes of this one.
    expect(idsOf(bytes, "a€")).toEqual([0, 3]);
  });

  it.each<[string, Model]>([
    ['"model.merges" has a token that the vocabulary lacks: "cc"', model(letters, ["c c"])],
    ["expected a merge to be of two tokens", model(letters, ["a b c"])],
    ["expected ids below 67108864 where there are merges", model({ a: 2 ** 26 }, [])],
    ['expected "model.vocab" to be an object', { type: "BPE", vocab: [] }],
  ])("is refused: %s", (message, broken) => {
    expect(() => tokenModelOf(broken)).toThrow(message);
  });
});

describe("Unigram", () => {
  const model = (vocab: [string, number][], fields = {}): Model => ({
    ...{ type: "Unigram", vocab, unk_id: 0 },
    ...fields,
  });
  const letters: [string, number][] = [
    ["<unk>", 0],
    ["a", -1],
    ["b", -1],
    ["ab", -1.5],
    ["abc", -9],
    ["c", -2],
    ["é", -3],
  ];

  it.each([
    ["abc", [3, 5]],
    ["aéx", [1, 6, 0]],
    ["axyb", [1, 0, 2]],
    ["<unk>a", [0, 1]],
  ])("finds the tokens with the best sum of scores: %s", (piece, ids) => {
    expect(idsOf(model(letters), piece)).toEqual(ids);
  });

  it("of two results with the same score, takes the one whose last token begins first", () => {
    const same = model([
      ["<unk>", 0],
      ["a", -1],
      ["aa", -2],
    ]);
    expect(idsOf(same, "aaa")).toEqual([1, 2]);
  });

  it("looks up a run of unknown characters as a whole", () => {
    const row = model([
      ["<unk>", 0],
      ["a", -1],
      ["xy", -50],
    ]);
    expect(idsOf(row, "xya")).toEqual([2, 1]);
    expect(idsOf(row, "xa")).toEqual([0, 1]);
  });

  it("falls back to bytes for characters that are not in the vocabulary", () => {
    const bytes = model([...letters, ["<0xC3>", -5], ["<0xA8>", -5]], { byte_fallback: true });
    expect(idsOf(bytes, "aèb")).toEqual([1, 7, 8, 2]);
    expect(idsOf(bytes, "a€b")).toEqual([1, 0, 2]);
  });

  it("refuses an unknown character if it has no unknown token", () => {
    expectCode("RR_INPUT", () => idsOf(model(letters, { unk_id: null }), "x"));
  });
});

describe("WordPiece", () => {
  const model = (vocab: Record<string, number>, most = 100): Model => ({
    ...{ type: "WordPiece", vocab, unk_token: "<unk>" },
    ...{ continuing_subword_prefix: "##", max_input_chars_per_word: most },
  });
  const letters = vocabulary("<unk>", "a", "##b", "ab", "##c", "##😀");

  it.each([
    ["abc", [3, 4]],
    ["acb", [1, 4, 2]],
    ["a😀b", [1, 5, 2]],
    ["ax", [0]],
    ["b", [0]],
  ])("takes the longest token at each position: %s", (piece, ids) => {
    expect(idsOf(model(letters), piece)).toEqual(ids);
  });

  it("treats a word of too many characters as unknown", () => {
    const short = model(vocabulary("<unk>", "a", "##😀"), 3);
    expect(idsOf(short, "a😀😀")).toEqual([1, 2, 2]);
    expect(idsOf(short, "a😀😀😀")).toEqual([0]);
  });

  it("refuses an unknown word if it has no unknown token", () => {
    expectCode("RR_INPUT", () => idsOf(model(vocabulary("a")), "b"));
  });
});

describe("WordLevel", () => {
  const model = (...tokens: string[]): Model => ({
    ...{ type: "WordLevel", vocab: vocabulary(...tokens), unk_token: "<unk>" },
  });

  it("looks up pieces", () => {
    expect(idsOf(model("a", "<unk>"), "a")).toEqual([0]);
    expect(idsOf(model("a", "<unk>"), "b")).toEqual([1]);
  });

  it("refuses an unknown piece if it has no unknown token", () => {
    expectCode("RR_INPUT", () => idsOf(model("a"), "b"));
  });
});

test.each<[string, Model]>([
  ["BPE", { vocab: { a: 3, b: 4, ab: 5 }, merges: ["a b"] } as Model],
  ["Unigram", { vocab: ["a", "b", "c", "d", "e", "ab"].map((token) => [token, 0] as const) }],
  ["WordPiece", { vocab: { ab: 5 }, continuing_subword_prefix: "##" }],
  ["WordLevel", { vocab: { ab: 5 } }],
])("recognizes a model without a type as %s by its fields", (_, model) => {
  expect(idsOf(model, "ab")).toEqual([5]);
});
