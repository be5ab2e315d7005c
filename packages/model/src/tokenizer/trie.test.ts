import fc from "fast-check";
import { expect, it } from "vitest";
import { Trie } from "./trie.js";

it("finds every text at a position, shortest first", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "😀", "\0"), minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(fc.uniqueArray(text, { maxLength: 600 }), text, (texts, searched) => {
      const trie = new Trie();
      texts.forEach((each, value) => {
        trie.add(each, value);
      });
      for (let start = 0; start < searched.length; start += 1) {
        const found: [number, number][] = [];
        trie.search(searched, start, (value, end) => found.push([value, end]));
        const expected = texts
          .map((each, value): [number, number] => [value, start + each.length])
          .filter(([value]) => searched.startsWith(texts[value]!, start))
          .sort(([, a], [, b]) => a - b);
        expect(found).toEqual(expected);
      }
    }),
    { seed: 1, numRuns: 100 },
  );
});

it("finds every text, however far it has grown", () => {
  const trie = new Trie();
  const texts = Array.from({ length: 20_000 }, (_, value) => `text ${value}`);
  texts.forEach((text, value) => {
    trie.add(text, value);
  });
  const found = texts.map((text) => {
    let longest: number | undefined;
    trie.search(text, 0, (value) => {
      longest = value;
    });
    return longest;
  });
  expect(found).toEqual([...texts.keys()]);
});
