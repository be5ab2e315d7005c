import { symbolsOf } from "./byte-symbols.js";
import { flagField } from "./fields.js";
import { space } from "./pattern.js";
import type { PreTokenizer } from "./pre-tokenizer.js";
import { splitterOf } from "./split.js";

/** Where GPT-2 splits a text. */
const words = new RegExp(
  `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^${space}\\p{L}\\p{N}]+|${space}+(?!\\P{White_Space})|${space}+`,
  "gu",
);

/**
 * `pre_tokenizers/byte_level.rs` of https://github.com/huggingface/tokenizers: words, written as symbols of their
 * bytes.
 */
export function byteSplitterOf(step: object): PreTokenizer {
  const isPrefixed = flagField(step, "add_prefix_space", true);
  const cut = flagField(step, "use_regex", true)
    ? splitterOf(words, "isolated")
    : (text: string): readonly string[] => [text];
  return (piece) => cut(isPrefixed && !piece.startsWith(" ") ? ` ${piece}` : piece).map(symbolsOf);
}
