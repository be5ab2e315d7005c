import { describe, expect, it } from "vitest";
import { AddedVocabulary } from "./added-vocabulary.js";
import { lowercase } from "./steps/lowercase.js";
import type { AddedToken } from "./tokenizer-json.js";

const token = (content: string, id: number, fields: Partial<AddedToken> = {}): AddedToken => ({
  ...{ id, content, normalized: false },
  ...fields,
});

/** Ids of tokens, and the texts between them. */
function sections(
  tokens: AddedToken[],
  text: string,
  normalize = (part: string) => part,
): (string | number)[] {
  return new AddedVocabulary(tokens, normalize)
    .sectionsOf(text)
    .map((section) => (typeof section === "number" ? section : section.text));
}

// All results are those of tokenizers 0.23.3 for Python.
describe("added tokens", () => {
  const overlapping = [token("<a", 1), token("<a>", 2), token("a>b", 3)];
  it.each<[string, (string | number)[]]>([
    ["<a>b", [2, "b"]],
    ["<a<a>", [1, 2]],
    ["x<a>b<a", ["x", 2, "b", 1]],
  ])("match the longest one at each position: %s", (text, expected) => {
    expect(sections(overlapping, text)).toEqual(expected);
  });

  it.each<[string, (string | number)[]]>([
    ["ab-ab", [1, "-", 1]],
    ["a ab", ["a ", 1]],
    ["xab", ["xab"]],
    ["abé", ["abé"]],
    ["ab_", ["ab_"]],
    ["ab\u200dab", ["ab\u200dab"]],
    ["\u{1d41a}ab", ["\u{1d41a}ab"]],
    ["ab\u{1d41a}", ["ab\u{1d41a}"]],
  ])("that are whole words do not match within words: %j", (text, expected) => {
    expect(sections([token("ab", 1, { single_word: true })], text)).toEqual(expected);
  });

  it("do not match inside a whole-word token that is part of another word", () => {
    expect(sections([token("a", 1), token("ab", 2, { single_word: true })], "abb")).toEqual(["abb"]);
  });

  it.each<[string, (string | number)[]]>([
    ["a \u0085<m>", ["a", 1]],
    ["a\ufeff<m>", ["a\ufeff", 1]],
    ["<m> <m>", [1, 1]],
  ])("may include the spaces before them: %j", (text, expected) => {
    expect(sections([token("<m>", 1, { lstrip: true })], text)).toEqual(expected);
  });

  it.each<[string, (string | number)[]]>([
    ["<m> \u3000a", [1, "a"]],
    ["<m> <m>", [1, 1]],
  ])("may include the spaces after them: %j", (text, expected) => {
    expect(sections([token("<m>", 1, { rstrip: true })], text)).toEqual(expected);
  });

  it("match within spaces that another token includes", () => {
    expect(sections([token("<m>", 1, { rstrip: true }), token(" a", 2)], "<m> ab")).toEqual([1, 2, "b"]);
  });

  const inCase = [token("Ab", 1, { normalized: true }), token("THE", 2)];
  it.each<[string, (string | number)[]]>([
    ["AB", [1]],
    ["ab", [1]],
    ["the", ["the"]],
    ["xTHEX", ["x", 2, "x"]],
  ])("match in the normalized text if they are normalized: %s", (text, expected) => {
    expect(sections(inCase, text, lowercase)).toEqual(expected);
  });

  it("are normalized like a text", () => {
    const prefixed = (part: string): string => `▁${part}`;
    const end = token("</s>", 1, { normalized: true });
    expect(sections([end], "</s>", prefixed)).toEqual([1]);
    expect(sections([end], "a</s>", prefixed)).toEqual(["▁a</s>"]);
  });

  it("are by default normalized if they are not special", () => {
    const [special, plain] = [
      { id: 1, content: "A", special: true },
      { id: 2, content: "B" },
    ];
    expect(sections([special, plain], "aAbB", lowercase)).toEqual(["a", 1, 2, 2]);
  });
});

it("the pre-tokenizer sees only the first part of a text as its beginning, and none after a token", () => {
  const beginnings = (text: string): boolean[] =>
    new AddedVocabulary([token("<m>", 1)], (part) => part)
      .sectionsOf(text)
      .filter((section) => typeof section !== "number")
      .map(({ isBeginning }) => isBeginning);
  expect(beginnings("a<m>b")).toEqual([true, false]);
  expect(beginnings("<m>b")).toEqual([false]);
});
