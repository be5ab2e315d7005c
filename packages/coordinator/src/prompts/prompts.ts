import { RingrankError, show } from "@ringrank/errors";
import type { ChatMessage } from "@ringrank/model";
import { checkIds } from "../inputs/inputs.js";
import type { TokenLimits } from "../model-facts.js";
import type { Offload } from "../offload/offload.js";
import type { TextService } from "../offload/text-service.js";
import { noTokenizer } from "./no-tokenizer.js";

/** What a generation continues: a text, its token ids, or a conversation. */
export type Prompt = string | readonly number[] | readonly ChatMessage[];

/** Converts callers' texts to token ids; the text thread tokenizes them. */
export class Prompts {
  readonly #limits: TokenLimits;
  readonly #texts: Offload<TextService> | undefined;

  /**
   * @param limits the limits of a prompt, or of a source if there is an encoder
   * @param texts undefined if the model has no tokenizer
   */
  constructor(limits: TokenLimits, texts: Offload<TextService> | undefined) {
    this.#limits = limits;
    this.#texts = texts;
  }

  /**
   * The token ids of a prompt: messages, a text, or ids.
   *
   * @throws as {@link idsOf}; RR_NO_CHAT_TEMPLATE, RR_FILE_FORMAT
   */
  async promptIdsOf(prompt: unknown): Promise<readonly number[]> {
    if (!isConversation(prompt)) return this.idsOf(prompt);
    const messages = checkMessages(prompt);
    const { maxContext } = this.#limits;
    const texts = this.requireTokenizer("messages");
    const ids = await texts.call((remote) => remote.encodeChat(messages, maxContext));
    checkIds(ids, this.#limits);
    return ids;
  }

  /**
   * The ids of a text, or the given ids.
   *
   * @throws RR_INPUT, RR_NO_TOKENIZER, RR_EMPTY_PROMPT, RR_TOKEN_ID, RR_CONTEXT
   */
  async idsOf(prompt: unknown): Promise<readonly number[]> {
    const ids = await this.#tokenize(prompt);
    checkIds(ids, this.#limits);
    return ids;
  }

  /** @throws RR_NO_TOKENIZER */
  requireTokenizer(what: string): Offload<TextService> {
    if (this.#texts !== undefined) return this.#texts;
    throw noTokenizer(what);
  }

  async #tokenize(prompt: unknown): Promise<readonly number[]> {
    if (typeof prompt === "string") {
      const { maxContext } = this.#limits;
      return this.requireTokenizer("a text").call((remote) => remote.encode(prompt, maxContext));
    }
    if (Array.isArray(prompt)) return [...prompt];
    throw new RingrankError(
      "RR_INPUT",
      `expected a prompt that is text, or an array of token ids or messages; got ${show(prompt)}`,
    );
  }
}

/** Whether a prompt consists of messages, valid or not; an empty array counts as token ids. */
export function isConversation(prompt: unknown): prompt is readonly unknown[] {
  return Array.isArray(prompt) && typeof prompt[0] === "object";
}

/**
 * A copy of messages, with only the fields that a template knows.
 *
 * @throws RR_INPUT
 */
function checkMessages(messages: readonly unknown[]): ChatMessage[] {
  return messages.map((message, index) => {
    const { role, content, ...others } = (message ?? {}) as Record<string, unknown>;
    if (typeof role === "string" && typeof content === "string" && Object.keys(others).length === 0) {
      return { role, content };
    }
    const isObject = typeof message === "object" && message !== null && !Array.isArray(message);
    const got = isObject ? fieldsOf(message) : show(message);
    throw new RingrankError(
      "RR_INPUT",
      `message ${index}: expected { role, content } with two strings, got ${got}`,
    );
  });
}

/** `{ role: "user", content: an array of 1 }` */
function fieldsOf(message: object): string {
  const fields = Object.entries(message).map(([name, value]) => `${name}: ${show(value)}`);
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}
