import type { ChatMessage } from "@ringrank/model";
import type { TokenText } from "../generation/detokenizer.js";

/** What the text thread does for the caller's thread. */
export interface TextService {
  /**
   * Loads the tokenizer of a model directory. Before anything else.
   *
   * @throws RR_FILE_FORMAT if it is not what the tokenizer library takes
   */
  open(directory: string): void;
  /**
   * Token ids of a text, with the tokenizer's own special tokens.
   *
   * @param maxContext most tokens that they may be; a text that has more of them is refused before it is tokenized
   * where its length tells, so that others' texts need not wait for it
   * @throws RR_NO_TOKENIZER where there is none; RR_CONTEXT; RR_INPUT where it has no id for a part of the text
   */
  encode(text: string, maxContext?: number): readonly number[];
  /**
   * Token ids of a conversation as the model's chat template writes it, which puts all special tokens where they
   * belong.
   *
   * @param maxContext as of {@link encode}
   * @throws RR_NO_TOKENIZER, RR_CONTEXT; RR_NO_CHAT_TEMPLATE where there is none; RR_FILE_FORMAT where it is broken,
   * not supported, or has no end; RR_INPUT where it refuses this conversation
   */
  encodeChat(messages: readonly ChatMessage[], maxContext?: number): Promise<readonly number[]>;
  /**
   * The text that is complete with this token of a generation; `last` also gives what is left of an incomplete
   * character, and forgets the generation. Tokens may be left out whose text is known.
   */
  detokenize(generation: number, id: number, last: boolean): TokenText;
  /** Forgets a generation that ends without a last token. */
  forget(generation: number): void;
}
