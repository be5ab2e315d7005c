import { characterField, fieldOf, flagField, textField } from "./fields.js";
import { literal } from "./pattern.js";
import type { PreTokenizer } from "./pre-tokenizer.js";
import { splitterOf } from "./split.js";

/** The character that replaces spaces, and whether one is put before every piece, only the `first`, or none. */
export interface MetaspaceSettings {
  readonly replacement: string;
  readonly scheme: string;
}

/** @throws Error for invalid settings */
export function metaspaceSettings(step: object): MetaspaceSettings {
  const isPlain = fieldOf(step, "add_prefix_space") === false;
  const scheme = textField(step, "prepend_scheme", isPlain ? "never" : "always");
  if (!["always", "first", "never"].includes(scheme)) {
    throw new Error(`expected "prepend_scheme" to be always, first or never, got ${JSON.stringify(scheme)}`);
  }
  return { replacement: characterField(step, "replacement", "▁"), scheme };
}

/**
 * `pre_tokenizers/metaspace.rs` of https://github.com/huggingface/tokenizers: splits into words, each with the space
 * before it.
 */
export function metaspaceOf(step: object): PreTokenizer {
  const { replacement, scheme } = metaspaceSettings(step);
  const cut = flagField(step, "split", true)
    ? splitterOf(new RegExp(literal(replacement), "gu"), "mergedwithnext")
    : (text: string): readonly string[] => [text];
  return (piece, isBeginning) => {
    const text = piece.replaceAll(" ", replacement);
    const isPrefixed = scheme === "always" || (scheme === "first" && isBeginning);
    return cut(isPrefixed && !text.startsWith(replacement) ? replacement + text : text);
  };
}
