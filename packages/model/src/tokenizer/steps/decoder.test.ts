import { expect, it } from "vitest";
import { decoderOf } from "./decoder.js";

const metaspace = (prepend_scheme: string) => ({ type: "Metaspace", replacement: "▁", prepend_scheme });
const ctc = (cleanup: boolean) => ({
  ...{ type: "CTC", pad_token: "<pad>", word_delimiter_token: "|", cleanup },
});
const strip = (content: string, start: number, stop: number) => ({ type: "Strip", content, start, stop });
const sentencePiece = {
  type: "Sequence",
  decoders: [
    { type: "Replace", pattern: { String: "▁" }, content: " " },
    { type: "ByteFallback" },
    { type: "Fuse" },
    strip(" ", 1, 0),
  ],
};

// The results of tokenizers 0.23.3 for Python.
it.each<[string, object | null, string[], string]>([
  ["bytes", { type: "ByteLevel" }, ["Ã", "©", "Ġa", "Ã"], "é a\ufffd"],
  [
    "a token of other characters than symbols is plain text",
    { type: "ByteLevel" },
    ["<｜a b｜>", "é"],
    "<｜a b｜>\ufffd",
  ],
  ["a byte order mark is kept", { type: "ByteLevel" }, ["ï", "»", "¿a"], "\ufeffa"],
  [
    "and so it is with byte fallback",
    { type: "ByteFallback" },
    ["<0xEF>", "<0xBB>", "<0xBF>", "a"],
    "\ufeffa",
  ],
  [
    "byte tokens have two digits",
    { type: "ByteFallback" },
    ["<0x1g>", "<0xe2>", "<0x82>", "<0xAC>"],
    "<0x1g>€",
  ],
  [
    "a prefix joins a piece to the one before",
    { type: "WordPiece", prefix: "##", cleanup: false },
    ["##a", ".", "##b"],
    "##a .b",
  ],
  [
    "spaces are cleaned up",
    { type: "WordPiece", prefix: "##", cleanup: true },
    ["a", "do not", ".", "'s"],
    "a don't.'s",
  ],
  ["the first token loses its leading spaces", metaspace("always"), ["▁▁a▁b", "▁c▁▁"], "ab c  "],
  ["unless no space was added there", metaspace("never"), ["▁▁a", "▁b"], "  a b"],
  ["a suffix becomes a space", { type: "BPEDecoder", suffix: "</w>" }, ["a", "b</w>", "c</w>"], "ab c"],
  ["repetitions are dropped", ctc(true), ["a", "a", "<pad>", "a", "|", "|", "b", "|", " ."], "aa b ."],
  ["and without cleanup, nothing else", ctc(false), ["a", "<pad>", "a", "|"], "aa|"],
  [
    "a replacement is plain text",
    { type: "Replace", pattern: { String: "▁" }, content: "$&" },
    ["▁a"],
    "$&a",
  ],
  [
    "a pattern applies to each token",
    { type: "Replace", pattern: { Regex: "[ab]+" }, content: "x" },
    ["ab", "b"],
    "xx",
  ],
  ["each token is stripped", strip(" ", 1, 0), ["  a ", "b", " "], " a b"],
  ["at its end", strip(" ", 0, 2), ["a   ", "b "], "a b"],
  ["character by character", strip("😀", 1, 1), ["😀😀a😀😀"], "😀a😀"],
  ["SentencePiece", sentencePiece, ["▁a", "▁b", "<0xC3>", "<0xA9>"], "a bé"],
  ["tokens are joined by spaces without a decoder", null, ["a", "b"], "a b"],
])("%s: %j decodes %j to %j", (_, step, tokens, expected) => {
  expect(decoderOf(step)(tokens).join("")).toBe(expected);
});

it("keeps the complete characters in bytes that are not all valid UTF-8, unlike Rust", () => {
  expect(decoderOf({ type: "ByteFallback" })(["<0x41>", "<0xC3>"]).join("")).toBe("A\ufffd");
});

it.each<[string, object]>([
  ["Unknown Decoder type: Abacus", { type: "Abacus" }],
  ['expected "content" to be one character', { type: "Strip", content: "ab" }],
  ['expected "stop" to be 0 or more', strip(" ", 0, -1)],
  ['expected "prepend_scheme" to be always, first or never', metaspace("last")],
])("refuses an invalid step: %s", (message, step) => {
  expect(() => decoderOf(step)).toThrow(message);
});
