import type { TokenizerJson } from "./tokenizer-json.js";

/**
 * Whether the text of a sequence of ids is the concatenation of the texts of its tokens, for complete characters, apart
 * from what a decoder strips at the very beginning. Determined by the decoder in tokenizer.json; false for decoders
 * that look at a token's neighbours (WordPiece joins words with spaces, CTC drops repetitions) or at the end of the
 * text.
 *
 * @param json tokenizer.json, checked
 * @see https://huggingface.co/docs/tokenizers/api/decoders
 */
export function textsAddUp({ decoder }: Pick<TokenizerJson, "decoder">): boolean {
  if (decoder == null) return false;
  if (decoder.type !== "Sequence") return decoder.type === "ByteLevel" || decoder.type === "Metaspace";
  return (decoder.decoders ?? []).every(({ type, stop = 0 }, at, all) => {
    // Steps after Fuse see the text as a whole.
    const isFused = all.slice(0, at).some((before) => before.type === "Fuse");
    if (type === "Strip") return stop === 0;
    return type === "Fuse" || (!isFused && (type === "Replace" || type === "ByteFallback"));
  });
}
