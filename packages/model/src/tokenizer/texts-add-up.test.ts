import { expect, test } from "vitest";
import { textsAddUp } from "./texts-add-up.js";

const sequence = (...decoders: object[]) => ({ decoder: { type: "Sequence", decoders } });

test.each([
  ["bytes", { decoder: { type: "ByteLevel" } }],
  ["SentencePiece tokens", { decoder: { type: "Metaspace" } }],
  [
    "SentencePiece tokens with byte fallback",
    sequence(
      { type: "Replace" },
      { type: "ByteFallback" },
      { type: "Fuse" },
      { type: "Strip", start: 1, stop: 0 },
    ),
  ],
])("the texts of tokens can be concatenated: %s", (_, json) => {
  expect(textsAddUp(json)).toBe(true);
});

test.each([
  ["words are joined by spaces", { decoder: { type: "WordPiece" } }],
  ["a suffix becomes a space before another word", { decoder: { type: "BPEDecoder" } }],
  ["repetitions are dropped", { decoder: { type: "CTC" } }],
  ["something is replaced across tokens", sequence({ type: "Fuse" }, { type: "Replace" })],
  ["the end is stripped", sequence({ type: "Fuse" }, { type: "Strip", start: 0, stop: 1 })],
  ["there is no decoder", { decoder: null }],
])("they cannot be concatenated if %s", (_, json) => {
  expect(textsAddUp(json)).toBe(false);
});
