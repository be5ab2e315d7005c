import { RingrankError } from "@ringrank/errors";
import {
  type ChatMessage,
  type ChatTemplate,
  loadChatTemplate,
  loadTokenizer,
  type Tokenizer,
  type TokenStream,
} from "@ringrank/model/serving";
import type { TokenText } from "../generation/detokenizer.js";
import type { TextService } from "./text-service.js";

/** The tokenizer of one model, on the text thread. */
export class TextDesk implements TextService {
  #directory = "";
  #tokenizer: Tokenizer | undefined;
  /** Read when it is first asked for: who never does is not kept from a model by a broken one. */
  #chatTemplate: ChatTemplate | undefined;
  /** By generation, while its text is in the making. */
  readonly #texts = new Map<number, TokenStream>();

  open(directory: string): void {
    this.#directory = directory;
    this.#tokenizer = loadTokenizer(directory);
  }

  encode(text: string): readonly number[] {
    return this.#requireTokenizer().encode(text);
  }

  encodeChat(messages: readonly ChatMessage[]): readonly number[] {
    this.#chatTemplate ??= loadChatTemplate(this.#directory);
    if (this.#chatTemplate === undefined) {
      throw new RingrankError(
        "RR_NO_CHAT_TEMPLATE",
        `expected a text or token ids: ${this.#directory} has no chat_template.jinja, and no chat_template in ` +
          "tokenizer_config.json, so the model cannot take messages",
      );
    }
    const text = this.#chatTemplate.render(messages);
    return this.#requireTokenizer().encode(text, { addSpecialTokens: false });
  }

  detokenize(generation: number, id: number, last: boolean): TokenText {
    const tokenizer = this.#requireTokenizer();
    const stream = this.#texts.get(generation) ?? tokenizer.stream();
    if (last) this.#texts.delete(generation);
    else this.#texts.set(generation, stream);
    const text = stream.push(id);
    const isSettled = tokenizer.textsAddUp && stream.isWhole;
    return { text: last ? text + stream.flush() : text, isSettled };
  }

  forget(generation: number): void {
    this.#texts.delete(generation);
  }

  #requireTokenizer(): Tokenizer {
    if (this.#tokenizer !== undefined) return this.#tokenizer;
    throw new RingrankError(
      "RR_NO_TOKENIZER",
      "expected token ids: the model has no tokenizer.json, so it cannot take or give text",
    );
  }
}
