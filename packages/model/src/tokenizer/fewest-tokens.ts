import { byteSymbols } from "./steps/byte-symbols.js";
import type { TextStep, TokenizerJson } from "./tokenizer-json.js";

/**
 * How few tokens a text may be, told from its length: milliseconds for 10 MB, which take seconds to be tokenized.
 *
 * A byte-level tokenizer has every byte of a normalized text in exactly one token, and none that has more than the
 * longest. Of others, which drop spaces or make one token of all that is unknown, 0 is all that can be said.
 *
 * @param json tokenizer.json, checked
 */
export function fewestTokensOf(json: TokenizerJson): (text: string) => number {
  if (!losesNothing(json)) return () => 0;
  const longest = longestToken(json);
  // Of a whole text that is no longer than of its parts between added tokens, which is what is tokenized.
  const normalized =
    json.normalizer == null ? (text: string) => text : (text: string) => text.normalize("NFC");
  return (text) => Math.ceil(Buffer.byteLength(normalized(text)) / longest);
}

function losesNothing({ model, added_tokens, normalizer, pre_tokenizer }: TokenizerJson): boolean {
  const { vocab } = model;
  return (
    (normalizer == null || normalizer.type === "NFC") &&
    isByteLevel(pre_tokenizer) &&
    model.type === "BPE" &&
    !Array.isArray(vocab) &&
    // With these, a byte is looked for by another name.
    !model.continuing_subword_prefix &&
    !model.end_of_word_suffix &&
    byteSymbols.every((symbol) => Object.hasOwn(vocab, symbol)) &&
    // One that strips takes any number of spaces.
    added_tokens.every(({ lstrip, rstrip }) => lstrip !== true && rstrip !== true)
  );
}

/** Whether a pre-tokenizer makes a symbol of each byte, and cuts without leaving out what it cuts at. */
function isByteLevel(step: TextStep | null | undefined): boolean {
  const steps = step?.pretokenizers ?? (step == null ? [] : [step]);
  const keeps = ({ type, behavior, invert }: TextStep): boolean =>
    type === "ByteLevel" || (type === "Split" && behavior?.toLowerCase() !== "removed" && invert !== true);
  return steps.some(({ type }) => type === "ByteLevel") && steps.every(keeps);
}

/** In bytes: a token of the vocabulary has a symbol of one UTF-16 unit for each, an added one is a text. */
function longestToken({ model: { vocab }, added_tokens }: TokenizerJson): number {
  const longest = Object.keys(vocab).reduce((most, token) => Math.max(most, token.length), 1);
  return added_tokens.reduce((most, { content }) => Math.max(most, Buffer.byteLength(content)), longest);
}
