import fc from "fast-check";
import { expect, test } from "vitest";
import { sizeProduct, symbolTable } from "./symbols.js";
import { graphOf } from "./testing/graph-of.js";

const symbols = symbolTable(
  graphOf({
    inputs: [
      "ids int64[batch,sequence]",
      "cache float32[batch,2,past,8]",
      "rows int64[rows]",
      "x bool[extra]",
    ],
  }),
);

test("every symbol has two primes of its own, in order of appearance", () => {
  expect([...symbols]).toEqual([
    ["batch", [7, 11]],
    ["sequence", [13, 19]],
    ["past", [23, 31]],
    ["rows", [37, 47]],
    ["extra", [53, 67]],
  ]);
});

test("no symbol plus a constant equals another symbol", () => {
  const differences = Array.from(symbols.values(), ([first, second]) => second - first);
  expect(new Set(differences).size).toBe(symbols.size);
});

test("recovers a product of a constant and symbols, whatever primes the constant contains", () => {
  const names = [...symbols.keys()];
  fc.assert(
    fc.property(
      fc.array(fc.nat(4), { maxLength: names.length }),
      fc.oneof(fc.integer({ min: 1, max: 5000 }), fc.constantFrom(7, 11, 77, 91, 7 * 19, 49 * 31)),
      (picks, scale) => {
        const chosen = picks.map((pick) => names[pick]!).sort((a, b) => names.indexOf(a) - names.indexOf(b));
        const at = (which: 0 | 1) =>
          chosen.reduce((size, symbol) => size * symbols.get(symbol)![which], scale);
        expect(sizeProduct([at(0), at(1)], symbols)).toEqual({ scale, symbols: chosen });
      },
    ),
  );
});

test.each([
  ["past + sequence", [13 + 23, 19 + 31]],
  ["2·sequence − 1", [2 * 13 - 1, 2 * 19 - 1]],
  ["batch + 6, which is the first size of sequence", [7 + 6, 11 + 6]],
  ["the batch's square at one setting only", [49, 11]],
  ["nothing at one setting only", [0, 11]],
] as const)("%s is not a product", (_, pair) => {
  expect(sizeProduct(pair, symbols)).toBeUndefined();
});

test("a static size is its own scale", () => {
  expect(sizeProduct([91, 91], symbols)).toEqual({ scale: 91, symbols: [] });
  expect(sizeProduct([0, 0], symbols)).toEqual({ scale: 0, symbols: [] });
});
