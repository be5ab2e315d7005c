import type { TokenizerJson } from "./tokenizer-json.js";

/**
 * Whether the text of ids is the texts of its tokens in a row, as far as characters are complete, but for what a
 * decoder strips from the very beginning. Told by the decoder that tokenizer.json names; false for those that look at
 * a token's neighbours (WordPiece joins words by spaces, CTC drops repetitions) or at the text's end.
 *
 * @param json of tokenizer.json, checked
 * @see https://huggingface.co/docs/tokenizers/api/decoders
 */
export function textsAddUp({ decoder }: Pick<TokenizerJson, "decoder">): boolean {
  if (decoder == null) return false;
  if (decoder.type !== "Sequence") return decoder.type === "ByteLevel" || decoder.type === "Metaspace";
  return (decoder.decoders ?? []).every(({ type, stop = 0 }, at, all) => {
    // What comes after Fuse sees the text as a whole.
    const isFused = all.slice(0, at).some((before) => before.type === "Fuse");
    if (type === "Strip") return stop === 0;
    return type === "Fuse" || (!isFused && (type === "Replace" || type === "ByteFallback"));
  });
}
