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

// All as tokenizers 0.23.3 of Python.
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
  ])("merges first what stands first in the list: %s", (piece, ids) => {
    const merges = [
      ["b", "c"],
      ["a", "b"],
      ["a", "bc"],
    ];
    expect(idsOf(model(letters, merges), piece)).toEqual(ids);
  });

  it("takes a merge that is one text", () => {
    expect(idsOf(model(letters, ["a b", "ab c"]), "abc")).toEqual([5]);
  });

  it("merges the same from the left", () => {
    const merges = ["a a", "aa a"];
    expect(idsOf(model(vocabulary("a", "aa", "aaa"), merges), "aaaaa")).toEqual([1, 2]);
  });

  it("looks a piece up as a whole where merges are ignored", () => {
    expect(idsOf(model(letters, [], { ignore_merges: true }), "abc")).toEqual([5]);
    expect(idsOf(model(letters, [], { ignore_merges: true }), "abca")).toEqual([0, 1, 2, 0]);
  });

  it.each([
    [false, [0, 6, 6, 1]],
    [true, [0, 6, 1]],
  ])("has an unknown token for each, or, where fuse_unk is %s, for a row", (fuse_unk, ids) => {
    expect(idsOf(model(letters, [], { unk_token: "<unk>", fuse_unk }), "axxb")).toEqual(ids);
  });

  it("looks what goes on within a word up with its prefix", () => {
    const vocab = vocabulary("a", "##a", "##b", "a##b", "ab", "##ab");
    const within = model(vocab, ["a ##b", "##a ##b"], { continuing_subword_prefix: "##" });
    expect(idsOf(within, "ab")).toEqual([4]);
    expect(idsOf(within, "aab")).toEqual([0, 5]);
  });

  it("looks the end of a word up with its suffix", () => {
    const ending = model(vocabulary("a", "b", "b</w>", "ab</w>"), ["a b</w>"], {
      end_of_word_suffix: "</w>",
    });
    expect(idsOf(ending, "ab")).toEqual([3]);
    expect(idsOf(ending, "bab")).toEqual([1, 3]);
  });

  it("has bytes for what the vocabulary lacks, which may be merged", () => {
    const vocab = vocabulary("a", "<0xC3>", "<0xA9>", "<unk>", "<0xC3><0xA9>");
    const bytes = model(vocab, ["<0xC3> <0xA9>"], { byte_fallback: true, unk_token: "<unk>" });
    expect(idsOf(bytes, "aé")).toEqual([0, 4]);
    // Not all bytes of this one are there.
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
  ])("writes a piece so that scores are best: %s", (piece, ids) => {
    expect(idsOf(model(letters), piece)).toEqual(ids);
  });

  it("takes of two ways with the same score that whose last token begins first", () => {
    const same = model([
      ["<unk>", 0],
      ["a", -1],
      ["aa", -2],
    ]);
    expect(idsOf(same, "aaa")).toEqual([1, 2]);
  });

  it("looks a row of unknown characters up once more", () => {
    const row = model([
      ["<unk>", 0],
      ["a", -1],
      ["xy", -50],
    ]);
    expect(idsOf(row, "xya")).toEqual([2, 1]);
    expect(idsOf(row, "xa")).toEqual([0, 1]);
  });

  it("has bytes for what the vocabulary lacks", () => {
    const bytes = model([...letters, ["<0xC3>", -5], ["<0xA8>", -5]], { byte_fallback: true });
    expect(idsOf(bytes, "aèb")).toEqual([1, 7, 8, 2]);
    expect(idsOf(bytes, "a€b")).toEqual([1, 0, 2]);
  });

  it("has no id without an unknown token", () => {
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
  ])("takes the longest there is: %s", (piece, ids) => {
    expect(idsOf(model(letters), piece)).toEqual(ids);
  });

  it("does not know a word of too many characters", () => {
    const short = model(vocabulary("<unk>", "a", "##😀"), 3);
    expect(idsOf(short, "a😀😀")).toEqual([1, 2, 2]);
    expect(idsOf(short, "a😀😀😀")).toEqual([0]);
  });

  it("has no id without an unknown token", () => {
    expectCode("RR_INPUT", () => idsOf(model(vocabulary("a")), "b"));
  });
});

describe("WordLevel", () => {
  const model = (...tokens: string[]): Model => ({
    ...{ type: "WordLevel", vocab: vocabulary(...tokens), unk_token: "<unk>" },
  });

  it("looks pieces up", () => {
    expect(idsOf(model("a", "<unk>"), "a")).toEqual([0]);
    expect(idsOf(model("a", "<unk>"), "b")).toEqual([1]);
  });

  it("has no id without an unknown token", () => {
    expectCode("RR_INPUT", () => idsOf(model("a"), "b"));
  });
});

test.each<[string, Model]>([
  ["BPE", { vocab: { a: 3, b: 4, ab: 5 }, merges: ["a b"] } as Model],
  ["Unigram", { vocab: ["a", "b", "c", "d", "e", "ab"].map((token) => [token, 0] as const) }],
  ["WordPiece", { vocab: { ab: 5 }, continuing_subword_prefix: "##" }],
  ["WordLevel", { vocab: { ab: 5 } }],
])("a model that does not say that it is %s is told by what it has", (_, model) => {
  expect(idsOf(model, "ab")).toEqual([5]);
});
