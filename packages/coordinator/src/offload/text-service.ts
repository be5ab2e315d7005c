import type { TextCut } from "@ringrank/model";
import type { Conversation } from "../conversations/protocol.js";
import type { TokenText } from "../generation/detokenizer.js";

/** The work of the text thread for the caller's thread. */
export interface TextService {
  /**
   * Loads the tokenizer of a model directory. Must be called first.
   *
   * @throws RR_FILE_FORMAT if it is not what the tokenizer library accepts
   */
  open(directory: string): void;
  /**
   * Token ids of a text, with the tokenizer's own special tokens.
   *
   * @param maxContext the most tokens allowed; a text whose length shows that it has more is refused before it is
   * tokenized, so that other texts need not wait for it
   * @throws RR_NO_TOKENIZER if there is none; RR_CONTEXT; RR_INPUT if it has no id for a part of the text
   */
  encode(text: string, maxContext?: number): readonly number[];
  /**
   * Token ids of a text, with the tokenizer's own special tokens, of which there are at most as many as `cut` says.
   *
   * @throws RR_NO_TOKENIZER, RR_INPUT
   */
  encodeCut(text: string, cut: TextCut): readonly number[];
  /**
   * How many of the token ids of a text are those of the prompt that it begins with, as sentence-transformers counts
   * them: all of the prompt's own, without a special token at their end.
   *
   * @throws RR_NO_TOKENIZER, RR_INPUT
   */
  promptLength(prompt: string, cut: TextCut): number;
  /**
   * Token ids of a conversation rendered with the model's chat template, which adds all special tokens.
   *
   * @param maxContext as in {@link encode}
   * @throws RR_NO_TOKENIZER, RR_CONTEXT; RR_NO_CHAT_TEMPLATE if there is none; RR_FILE_FORMAT if it is broken, not
   * supported, or does not terminate; RR_INPUT or RR_OPTION if it refuses this conversation
   */
  encodeChat(conversation: Conversation, maxContext?: number): Promise<readonly number[]>;
  /**
   * The text that this token of a generation completes. With `last`, it includes the rest of an incomplete character,
   * and the generation is forgotten. Tokens with known texts may be omitted.
   */
  detokenize(generation: number, id: number, last: boolean): TokenText;
  /** Forgets a generation that ends without a last token. */
  forget(generation: number): void;
}
