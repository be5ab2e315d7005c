import type { TextStep } from "./tokenizer-json.js";

/** Where ByteLevel cuts a text (pre_tokenizers/byte_level.rs of https://github.com/huggingface/tokenizers). */
const pattern = {
  Regex: "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
};

/**
 * A ByteLevel that cuts texts, as a Split by its pattern before one that does not. The tokenizer library's own pattern
 * takes a byte order mark for a space and U+0085 for none; in patterns that it is given, it has Unicode's spaces. One
 * that puts a space before a text has to do so before it cuts, and stays; so do all other steps.
 */
export function withUnicodeSpaces(step: TextStep): TextStep {
  const { type, add_prefix_space = false, use_regex = true } = step;
  if (type !== "ByteLevel" || add_prefix_space || !use_regex) return step;
  // Nothing is removed, since every character is in some piece; so the library looks for nothing between them.
  const split = { type: "Split", pattern, behavior: "Removed", invert: true };
  return { type: "Sequence", pretokenizers: [split, { ...step, use_regex: false }] };
}
