import fc from "fast-check";
import { expect, test } from "vitest";
import { shakespeareDirectory } from "../../../model/src/testing/fixtures.js";
import { TextDesk } from "../offload/text-desk.js";
import { Detokenizer, type KnownTexts, type TokenText } from "./detokenizer.js";

const desk = new TextDesk();
desk.open(shakespeareDirectory);
let generations = 0;

/** A generation's detokenizer, and its requests to the desk. */
function detokenizer(known: KnownTexts, ask?: (id: number) => Promise<TokenText>) {
  const generation = generations++;
  const asked: number[] = [];
  const made = new Detokenizer(known, async (id, last) => {
    asked.push(id);
    return ask?.(id) ?? desk.detokenize(generation, id, last);
  });
  return { made, asked };
}

async function textOf(ids: readonly number[], known: KnownTexts): Promise<string> {
  const { made } = detokenizer(known);
  let text = "";
  for (const [at, id] of ids.entries()) text += await made.push(id, at === ids.length - 1);
  return text;
}

/** The desk's own text for all ids. */
function plainText(ids: readonly number[]): string {
  const generation = generations++;
  return ids.map((id, at) => desk.detokenize(generation, id, at === ids.length - 1).text).join("");
}

test("any ids get the tokenizer's text, whatever was learned before", async () => {
  const known: KnownTexts = new Map();
  // Ids below 260 are bytes: in the wrong order, broken characters.
  const anyIds = fc.array(fc.oneof(fc.integer({ min: 0, max: 258 }), fc.integer({ min: 0, max: 2047 })), {
    minLength: 1,
    maxLength: 40,
  });
  await fc.assert(
    fc.asyncProperty(anyIds, async (ids) => {
      expect(await textOf(ids, known)).toBe(plainText(ids));
    }),
    { seed: 1, numRuns: 300 },
  );
  expect(known.size).toBeGreaterThan(500);
});

test("a known token's text is available at once; the first token, and any after half a character, is requested", async () => {
  const known: KnownTexts = new Map();
  const ids = [...desk.encode("to be or not to be 🏴 to be")];
  await textOf(ids, known);
  const { made, asked } = detokenizer(known);
  for (const id of ids) await made.push(id, false);
  const flag = [...desk.encode("🏴")].filter((id) => !known.has(id));
  expect(asked.length).toBeLessThan(ids.length / 2);
  expect(asked[0]).toBe(ids[0]);
  expect(asked).toEqual(expect.arrayContaining(flag));
  expect(made.push(ids[1]!, false)).toBe(known.get(ids[1]!));
});

test("learns nothing if a token's text depends on its neighbours", async () => {
  const known: KnownTexts = new Map();
  const { made } = detokenizer(known, async (id) => ({ text: `<${id}>`, isSettled: false }));
  for (const id of [1, 2, 1, 2]) await made.push(id, false);
  expect(known.size).toBe(0);
});

test("knows a token's text after one without text, such as a special one", async () => {
  const known: KnownTexts = new Map([[3, "known"]]);
  const { made, asked } = detokenizer(known, async (id) => ({ text: id === 2 ? "" : "a", isSettled: true }));
  for (const id of [1, 2]) await made.push(id, false);
  expect(made.push(3, false)).toBe("known");
  expect(asked).toEqual([1, 2]);
});

test("requests a known token after one whose text, possibly half a character, is pending", async () => {
  const known: KnownTexts = new Map([[3, "known"]]);
  const { made, asked } = detokenizer(known, async (id) => ({ text: `<${id}>`, isSettled: true }));
  await made.push(1, false);
  const coming = [made.push(2, false), made.push(3, false)];
  expect(asked).toEqual([1, 2, 3]);
  expect(await Promise.all(coming)).toEqual(["<2>", "<3>"]);
});

test("does not learn the first text, which may lack a space, even after a token without text", async () => {
  const known: KnownTexts = new Map();
  const texts = ["", "cat", " sat"];
  const { made } = detokenizer(known, async (id) => ({ text: texts[id]!, isSettled: true }));
  for (const id of texts.keys()) await made.push(id, false);
  expect(known).toEqual(new Map([[2, " sat"]]));
});
