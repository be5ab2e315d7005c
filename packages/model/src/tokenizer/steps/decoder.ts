import type { DecoderStep } from "../tokenizer-json.js";
import { bytesOf } from "./byte-symbols.js";
import { characterField, countField, flagField, stepsField, textField } from "./fields.js";
import { metaspaceSettings } from "./metaspace.js";
import { patternOf, replaced } from "./pattern.js";

/** Turns the texts of tokens into parts of the decoded text, which are then joined. */
export type Decoder = (tokens: readonly string[]) => readonly string[];

/**
 * The decoder of a tokenizer.json (`decoders` of https://github.com/huggingface/tokenizers). Without one, tokens are
 * joined by spaces.
 *
 * @throws Error for an invalid step
 */
export function decoderOf(step: DecoderStep | null | undefined): Decoder {
  if (step == null) return (tokens) => [tokens.join(" ")];
  switch (step.type) {
    case "Sequence": {
      const decoders = stepsField<DecoderStep>(step, "decoders").map(decoderOf);
      return (tokens) => decoders.reduce((result, decode) => decode(result), tokens);
    }
    case "BPEDecoder": {
      const suffix = textField(step, "suffix", "</w>");
      return (tokens) =>
        tokens.map((token, at) => token.replaceAll(suffix, at === tokens.length - 1 ? "" : " "));
    }
    case "ByteFallback":
      return byteFallback;
    case "ByteLevel":
      return (tokens) => [utf8.decode(Buffer.concat(tokens.map(bytesOf)))];
    case "CTC":
      return ctcOf(step);
    case "Fuse":
      return (tokens) => [tokens.join("")];
    case "Metaspace": {
      const { replacement, scheme } = metaspaceSettings(step);
      const atFirst = scheme === "never" ? " " : "";
      return (tokens) => tokens.map((token, at) => token.replaceAll(replacement, at === 0 ? atFirst : " "));
    }
    case "Replace": {
      const [pattern, content] = [patternOf(step), textField(step, "content")];
      return (tokens) => tokens.map((token) => replaced(token, pattern, content));
    }
    case "Strip":
      return stripOf(step);
    case "WordPiece":
      return wordPieceOf(step);
    default:
      throw new Error(`Unknown Decoder type: ${step.type}`);
  }
}

/** Writes U+FFFD for invalid UTF-8. A byte order mark is an ordinary character. */
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Decodes tokens such as `<0x0A>` as bytes. If a run of them is not all valid UTF-8, its complete characters are kept.
 * In Rust, every byte of such a run becomes U+FFFD, which would retract text that has already been streamed.
 */
function byteFallback(tokens: readonly string[]): readonly string[] {
  const result: string[] = [];
  let row: number[] = [];
  const endRow = (): void => {
    if (row.length > 0) result.push(utf8.decode(Uint8Array.from(row)));
    row = [];
  };
  for (const token of tokens) {
    const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token)?.[1];
    if (byte !== undefined) {
      row.push(Number.parseInt(byte, 16));
    } else {
      endRow();
      result.push(token);
    }
  }
  endRow();
  return result;
}

function stripOf(step: object): Decoder {
  const content = characterField(step, "content");
  const [most, mostAtEnd] = [countField(step, "start", 0, 0), countField(step, "stop", 0, 0)];
  return (tokens) =>
    tokens.map((token) => {
      const characters = [...token];
      let [start, end] = [0, characters.length];
      while (start < Math.min(most, end) && characters[start] === content) start += 1;
      while (characters.length - end < mostAtEnd && end > start && characters[end - 1] === content) end -= 1;
      return characters.slice(start, end).join("");
    });
}

function wordPieceOf(step: object): Decoder {
  const prefix = textField(step, "prefix", "##");
  const clean = flagField(step, "cleanup", true) ? cleaned : (text: string): string => text;
  return (tokens) =>
    tokens.map((token, at) => {
      if (at === 0) return clean(token);
      return clean(token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`);
    });
}

function ctcOf(step: object): Decoder {
  const padding = textField(step, "pad_token", "<pad>");
  const delimiter = textField(step, "word_delimiter_token", "|");
  const clean = flagField(step, "cleanup", true)
    ? (text: string): string => cleaned(text).replaceAll(delimiter, " ")
    : (text: string): string => text;
  return (tokens) =>
    tokens
      .filter((token, at) => token !== tokens[at - 1])
      .map((token) => clean(token.replaceAll(padding, "")))
      .filter((text) => text !== "");
}

/** Applied in this order. */
const contractions = [
  [" .", "."],
  [" ?", "?"],
  [" !", "!"],
  [" ,", ","],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [" do not", " don't"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
] as const;

function cleaned(text: string): string {
  return contractions.reduce((result, [spaced, closed]) => result.replaceAll(spaced, closed), text);
}
