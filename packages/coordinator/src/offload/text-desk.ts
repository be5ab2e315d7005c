import type { TextCut } from "@ringrank/model";
import { loadTokenizer, type Tokenizer, type TokenStream } from "@ringrank/model/tokenizer";
import { ConversationWriter } from "../conversations/conversation-writer.js";
import type { Conversation } from "../conversations/protocol.js";
import type { TokenText } from "../generation/detokenizer.js";
import { contextError } from "../inputs/context-error.js";
import { noTokenizer } from "../prompts/no-tokenizer.js";
import type { TextService } from "./text-service.js";

/** The tokenizer of one model, on the text thread. */
export class TextDesk implements TextService {
  readonly #onProcess: () => void;
  #directory = "";
  #tokenizer: Tokenizer | undefined;
  /** Created on first use, so that a broken template does not affect callers that never need it. */
  #conversations: ConversationWriter | undefined;
  /** By generation, while its text is being generated. */
  readonly #texts = new Map<number, TokenStream>();

  /** @param onProcess called before this starts a process, which {@link end} ends */
  constructor(onProcess = () => {}) {
    this.#onProcess = onProcess;
  }

  open(directory: string): void {
    this.#directory = directory;
    this.#tokenizer = loadTokenizer(directory);
  }

  encode(text: string, maxContext?: number): readonly number[] {
    return this.#tokenizerFor(text, maxContext).encode(text);
  }

  encodeCut(text: string, { maxTokens, keeps }: TextCut): readonly number[] {
    return this.#requireTokenizer().encode(text, { maxTokens, keeps });
  }

  promptLength(prompt: string, cut: TextCut): number {
    const ids = this.encodeCut(prompt, cut);
    const last = ids.at(-1);
    const endsSpecially = last !== undefined && this.#requireTokenizer().isSpecial(last);
    return ids.length - (endsSpecially ? 1 : 0);
  }

  async encodeChat(conversation: Conversation, maxContext?: number): Promise<readonly number[]> {
    this.#conversations ??= this.#startConversations();
    const text = await this.#conversations.write(conversation);
    return this.#tokenizerFor(text, maxContext).encode(text, { addSpecialTokens: false });
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

  /** Ends what this thread has started elsewhere. */
  end(): void {
    this.#conversations?.end();
  }

  #startConversations(): ConversationWriter {
    this.#onProcess();
    return new ConversationWriter(this.#directory);
  }

  /** @throws RR_NO_TOKENIZER; RR_CONTEXT for a text that is certainly too long */
  #tokenizerFor(text: string, maxContext: number | undefined): Tokenizer {
    const tokenizer = this.#requireTokenizer();
    if (maxContext === undefined) return tokenizer;
    const fewest = tokenizer.fewestTokens(text);
    if (fewest > maxContext) throw contextError(maxContext, `a text of at least ${fewest}`);
    return tokenizer;
  }

  #requireTokenizer(): Tokenizer {
    if (this.#tokenizer !== undefined) return this.#tokenizer;
    throw noTokenizer("a text");
  }
}
