import type { TextStep } from "../tokenizer-json.js";
import { bertNormalizerOf } from "./bert-normalizer.js";
import { symbolsOf } from "./byte-symbols.js";
import { flagField, stepsField, textField } from "./fields.js";
import { lowercase } from "./lowercase.js";
import { patternOf, replaced, space } from "./pattern.js";
import { precompiledOf } from "./precompiled.js";

export type Normalizer = (text: string) => string;

/**
 * The normalizer of a tokenizer.json, applied to a text before it is split (`normalizers` of
 * https://github.com/huggingface/tokenizers).
 *
 * @throws Error for an invalid step
 */
export function normalizerOf(step: TextStep | null | undefined): Normalizer {
  if (step == null) return (text) => text;
  switch (step.type) {
    case "Sequence": {
      const normalizers = stepsField<TextStep>(step, "normalizers").map(normalizerOf);
      return (text) => normalizers.reduce((result, normalize) => normalize(result), text);
    }
    case "NFC":
    case "NFD":
    case "NFKC":
    case "NFKD": {
      const form = step.type;
      return (text) => text.normalize(form);
    }
    case "BertNormalizer":
      return bertNormalizerOf(step);
    case "ByteLevel":
      return symbolsOf;
    case "Lowercase":
      return lowercase;
    case "Nmt":
      return (text) => text.replace(dropped, "").replace(blank, " ");
    case "Precompiled":
      return precompiledOf(step);
    case "Prepend": {
      const prefix = textField(step, "prepend");
      return (text) => (text === "" ? "" : prefix + text);
    }
    case "Replace": {
      const [pattern, content] = [patternOf(step), textField(step, "content")];
      return (text) => replaced(text, pattern, content);
    }
    case "Strip":
      return stripperOf(flagField(step, "strip_left", true), flagField(step, "strip_right", true));
    case "StripAccents":
      return (text) => text.replace(/\p{M}/gu, "");
    default:
      throw new Error(`Unknown Normalizer type: ${step.type}`);
  }
}

/** What `Nmt` removes, and what it replaces by a space, as SentencePiece's rules of that name do. */
const dropped = /(?![\0\t\n\f\r\x80-\x8e\x90-\x9e])\p{Cc}/gu;
const blank = /[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/g;

const blankAtEnd = new RegExp(`^${space}`, "u");

function stripperOf(left: boolean, right: boolean): Normalizer {
  // Every space is one UTF-16 unit. A regular expression for those at the end would try each of a long run in the
  // middle.
  const isSpace = (text: string, at: number): boolean => blankAtEnd.test(text.charAt(at));
  return (text) => {
    let [start, end] = [0, text.length];
    while (left && start < end && isSpace(text, start)) start += 1;
    while (right && end > start && isSpace(text, end - 1)) end -= 1;
    return text.slice(start, end);
  };
}
