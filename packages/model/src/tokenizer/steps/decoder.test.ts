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

// As tokenizers 0.23.3 of Python decodes them.
it.each<[string, object | null, string[], string]>([
  ["bytes", { type: "ByteLevel" }, ["Ã", "©", "Ġa", "Ã"], "é a\ufffd"],
  ["what has more than symbols is a text", { type: "ByteLevel" }, ["<｜a b｜>", "é"], "<｜a b｜>\ufffd"],
  ["a byte order mark is kept", { type: "ByteLevel" }, ["ï", "»", "¿a"], "\ufeffa"],
  ["of bytes too", { type: "ByteFallback" }, ["<0xEF>", "<0xBB>", "<0xBF>", "a"], "\ufeffa"],
  ["bytes have two digits", { type: "ByteFallback" }, ["<0x1g>", "<0xe2>", "<0x82>", "<0xAC>"], "<0x1g>€"],
  ["a piece goes on", { type: "WordPiece", prefix: "##", cleanup: false }, ["##a", ".", "##b"], "##a .b"],
  [
    "spaces are cleaned up",
    { type: "WordPiece", prefix: "##", cleanup: true },
    ["a", "do not", ".", "'s"],
    "a don't.'s",
  ],
  ["the first token has no spaces", metaspace("always"), ["▁▁a▁b", "▁c▁▁"], "ab c  "],
  ["unless nothing was put there", metaspace("never"), ["▁▁a", "▁b"], "  a b"],
  ["a word's end is a space", { type: "BPEDecoder", suffix: "</w>" }, ["a", "b</w>", "c</w>"], "ab c"],
  ["repetitions are dropped", ctc(true), ["a", "a", "<pad>", "a", "|", "|", "b", "|", " ."], "aa b ."],
  ["and nothing else is", ctc(false), ["a", "<pad>", "a", "|"], "aa|"],
  ["what replaces is a text", { type: "Replace", pattern: { String: "▁" }, content: "$&" }, ["▁a"], "$&a"],
  ["of each token", { type: "Replace", pattern: { Regex: "[ab]+" }, content: "x" }, ["ab", "b"], "xx"],
  ["each is stripped", strip(" ", 1, 0), ["  a ", "b", " "], " a b"],
  ["at its end", strip(" ", 0, 2), ["a   ", "b "], "a b"],
  ["by characters", strip("😀", 1, 1), ["😀😀a😀😀"], "😀a😀"],
  ["SentencePiece", sentencePiece, ["▁a", "▁b", "<0xC3>", "<0xA9>"], "a bé"],
  ["nothing", null, ["a", "b"], "a b"],
])("%s: %j makes of %j %j", (_, step, tokens, expected) => {
  expect(decoderOf(step)(tokens).join("")).toBe(expected);
});

it("keeps the complete characters of bytes that are not all UTF-8, where Rust breaks them", () => {
  expect(decoderOf({ type: "ByteFallback" })(["<0x41>", "<0xC3>"]).join("")).toBe("A\ufffd");
});

it.each<[string, object]>([
  ["Unknown Decoder type: Abacus", { type: "Abacus" }],
  ['expected "content" to be one character', { type: "Strip", content: "ab" }],
  ['expected "stop" to be 0 or more', strip(" ", 0, -1)],
  ['expected "prepend_scheme" to be always, first or never', metaspace("last")],
])("a step that cannot be taken is an error: %s", (message, step) => {
  expect(() => decoderOf(step)).toThrow(message);
});
