import { expect, test } from "vitest";
import { textsAddUp } from "./texts-add-up.js";

const sequence = (...decoders: object[]) => ({ decoder: { type: "Sequence", decoders } });

test.each([
  ["bytes", { decoder: { type: "ByteLevel" } }],
  ["pieces of sentences", { decoder: { type: "Metaspace" } }],
  [
    "pieces of sentences with bytes for what they lack",
    sequence(
      { type: "Replace" },
      { type: "ByteFallback" },
      { type: "Fuse" },
      { type: "Strip", start: 1, stop: 0 },
    ),
  ],
])("the texts of tokens add up: %s", (_, json) => {
  expect(textsAddUp(json)).toBe(true);
});

test.each([
  ["words are joined by spaces", { decoder: { type: "WordPiece" } }],
  ["a word's end is a space before another", { decoder: { type: "BPEDecoder" } }],
  ["repetitions are dropped", { decoder: { type: "CTC" } }],
  ["something is replaced across tokens", sequence({ type: "Fuse" }, { type: "Replace" })],
  ["the end is stripped", sequence({ type: "Fuse" }, { type: "Strip", start: 0, stop: 1 })],
  ["there is no decoder", { decoder: null }],
])("they do not: %s", (_, json) => {
  expect(textsAddUp(json)).toBe(false);
});
