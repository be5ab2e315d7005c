import { byteSymbols } from "./steps/byte-symbols.js";
import type { TextStep, TokenizerJson } from "./tokenizer-json.js";

/**
 * A lower bound of the number of tokens of a text, from its length: this takes milliseconds for 10 MB, which take
 * seconds to tokenize. With a byte-level tokenizer, every byte of a normalized text is in exactly one token, and no
 * token has more bytes than the longest one. For other tokenizers, which drop spaces or turn everything unknown into
 * one token, the bound is 0.
 *
 * @param json tokenizer.json, checked
 */
export function fewestTokensOf(json: TokenizerJson): (text: string) => number {
  if (!losesNothing(json)) return () => 0;
  const longest = longestToken(json);
  // Normalizing the whole text does not give more than normalizing the parts between added tokens, which are what is
  // tokenized.
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
    // With these, a byte is looked up under another name.
    !model.continuing_subword_prefix &&
    !model.end_of_word_suffix &&
    byteSymbols.every((symbol) => Object.hasOwn(vocab, symbol)) &&
    // A token that strips takes any number of spaces.
    added_tokens.every(({ lstrip, rstrip }) => lstrip !== true && rstrip !== true)
  );
}

/** Whether a pre-tokenizer converts each byte to a symbol, and cuts without dropping what it cuts at. */
function isByteLevel(step: TextStep | null | undefined): boolean {
  const steps = step?.pretokenizers ?? (step == null ? [] : [step]);
  const keeps = ({ type, behavior, invert }: TextStep): boolean =>
    type === "ByteLevel" || (type === "Split" && behavior?.toLowerCase() !== "removed" && invert !== true);
  return steps.some(({ type }) => type === "ByteLevel") && steps.every(keeps);
}

/** In bytes: a token of the vocabulary has a symbol of one UTF-16 unit for each byte; an added token is a text. */
function longestToken({ model: { vocab }, added_tokens }: TokenizerJson): number {
  const longest = Object.keys(vocab).reduce((most, token) => Math.max(most, token.length), 1);
  return added_tokens.reduce((most, { content }) => Math.max(most, Buffer.byteLength(content)), longest);
}
