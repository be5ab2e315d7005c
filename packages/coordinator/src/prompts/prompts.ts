import { RingrankError, show } from "@ringrank/errors";
import type { ChatMessage, TemplateVariables, TextCut } from "@ringrank/model";
import { aboutText } from "../embedding/about-text.js";
import type { EmbeddedText } from "../embedding/embed.js";
import { checkIds } from "../inputs/inputs.js";
import { copyJson } from "../inputs/json.js";
import type { TokenLimits } from "../model-facts.js";
import type { Offload } from "../offload/offload.js";
import type { TextService } from "../offload/text-service.js";
import { optionError } from "../options/check.js";
import { noTokenizer } from "./no-tokenizer.js";

/** What a generation continues: a text, its token ids, or a conversation. */
export type Prompt = string | readonly number[] | readonly ChatMessage[];

/** How texts that are embedded are read. */
interface EmbeddedPrompt {
  /** What is put in front of each. */
  readonly prompt: string;
  /** Where a text that is too long is cut; undefined if it is refused. */
  readonly cut: TextCut | undefined;
  /** Whether the prompt counts as a part of the text. */
  readonly poolsPrompt: boolean;
}

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
   * @param variables of the chat template, which only messages are rendered with
   * @throws as {@link idsOf}; RR_NO_CHAT_TEMPLATE, RR_FILE_FORMAT, RR_OPTION
   */
  async promptIdsOf(prompt: unknown, variables?: TemplateVariables): Promise<readonly number[]> {
    if (!isConversation(prompt)) {
      if (variables !== undefined) throw onlyForMessages(variables);
      return this.#checked(prompt, "token ids or messages");
    }
    const messages = checkMessages(prompt);
    const { maxContext } = this.#limits;
    const texts = this.requireTokenizer("messages");
    const ids = await texts.call((remote) =>
      remote.encodeChat({ messages, variables: variables ?? {} }, maxContext),
    );
    checkIds(ids, this.#limits);
    return ids;
  }

  /**
   * The ids of a text, or the given ids.
   *
   * @throws RR_INPUT, RR_NO_TOKENIZER, RR_EMPTY_PROMPT, RR_TOKEN_ID, RR_CONTEXT
   */
  async idsOf(text: unknown): Promise<readonly number[]> {
    return this.#checked(text, "token ids");
  }

  /**
   * The ids of texts that are embedded behind a prompt, or the given ids.
   *
   * @throws as {@link idsOf}; RR_EMPTY_PROMPT if nothing of a text is left behind a prompt that is not pooled
   */
  async embeddedTexts(texts: readonly unknown[], behind: EmbeddedPrompt): Promise<EmbeddedText[]> {
    const { prompt, cut, poolsPrompt } = behind;
    // An array may have holes, which are refused.
    const all = Array.from(texts);
    const hasPrompt = cut !== undefined && !poolsPrompt && prompt !== "" && all.some(isText);
    const skipped = hasPrompt
      ? await this.requireTokenizer("a text").call((remote) => remote.promptLength(prompt, cut))
      : 0;
    return Promise.all(
      all.map(async (text, index) => {
        try {
          if (!isText(text)) return { ids: await this.idsOf(text), skipped: 0 };
          const ids = await this.#cutIds(prompt + text, cut);
          if (skipped < ids.length) return { ids, skipped };
          const what = `expected tokens of a text behind its prompt, which has ${skipped} and is not pooled`;
          throw new RingrankError("RR_EMPTY_PROMPT", `${what}; got ${show(text)}, of which nothing is left`);
        } catch (error) {
          throw aboutText(index, error);
        }
      }),
    );
  }

  /** @throws RR_NO_TOKENIZER */
  requireTokenizer(what: string): Offload<TextService> {
    if (this.#texts !== undefined) return this.#texts;
    throw noTokenizer(what);
  }

  /** @param others what an array may contain */
  async #checked(prompt: unknown, others: string): Promise<readonly number[]> {
    return this.#check(await this.#tokenize(prompt, others), prompt, others);
  }

  async #cutIds(text: string, cut: TextCut | undefined): Promise<readonly number[]> {
    if (cut?.maxTokens === undefined) return this.idsOf(text);
    const ids = await this.requireTokenizer("a text").call((remote) => remote.encodeCut(text, cut));
    return this.#check(ids, text, "token ids");
  }

  #check(ids: readonly number[], prompt: unknown, others: string): readonly number[] {
    if (ids.length === 0) {
      const expected = typeof prompt === "string" ? "a text of at least one token" : `some ${others}`;
      throw new RingrankError("RR_EMPTY_PROMPT", `expected ${expected}, got ${show(prompt)}`);
    }
    checkIds(ids, this.#limits);
    return ids;
  }

  async #tokenize(prompt: unknown, others: string): Promise<readonly number[]> {
    if (typeof prompt === "string") {
      const { maxContext } = this.#limits;
      return this.requireTokenizer("a text").call((remote) => remote.encode(prompt, maxContext));
    }
    if (Array.isArray(prompt)) return [...prompt];
    const advice = ArrayBuffer.isView(prompt) ? "; pass Array.from(ids, Number)" : "";
    throw new RingrankError(
      "RR_INPUT",
      `expected a text, or an array of ${others}; got ${show(prompt)}${advice}`,
    );
  }
}

/** Whether a prompt consists of messages, valid or not; an empty array counts as token ids. */
export function isConversation(prompt: unknown): prompt is readonly unknown[] {
  return Array.isArray(prompt) && typeof prompt[0] === "object";
}

/**
 * A copy of messages. Which other fields they may have depends on the template.
 *
 * @throws RR_INPUT
 */
function checkMessages(messages: readonly unknown[]): ChatMessage[] {
  // Unlike an array's own method, this does not skip what an array lacks.
  return Array.from(messages, (message, index) => {
    // What is inherited, as from a class with accessors, would not be copied.
    const { role, content } = { ...(message as Record<string, unknown> | null) };
    if (typeof role !== "string" || !(typeof content === "string" || hasOther(message, content))) {
      const isObject = typeof message === "object" && message !== null && !Array.isArray(message);
      const got = isObject ? fieldsOf(message) : show(message);
      const expected = "{ role, content } with two strings, or other fields instead of the content";
      throw new RingrankError("RR_INPUT", `message ${index}: expected ${expected}, got ${got}`);
    }
    return copyJson(message, (at, got) => {
      return new RingrankError("RR_INPUT", `message ${index}${at}: expected JSON, got ${show(got)}`);
    }) as ChatMessage;
  });
}

/** Fields that do not say what a message is. */
const describing: ReadonlySet<string> = new Set(["role", "content", "name", "tool_call_id"]);

/** Whether a message without a content has something in its place. */
function hasOther(message: unknown, content: unknown): boolean {
  const isOmitted = content === undefined || content === null;
  return isOmitted && Object.keys(message as object).some((field) => !describing.has(field));
}

/** `{ role: "user", content: an array of 1 }`; of an object of a class, what it has besides its class. */
function fieldsOf(message: object): string {
  const fields = Object.entries(message).map(([name, value]) => `${name}: ${show(value)}`);
  const own = fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
  return message.constructor === Object ? own : `${show(message)} whose own fields are ${own}`;
}

function onlyForMessages(variables: TemplateVariables): RingrankError {
  return optionError(
    "templateVariables",
    "no value, because the prompt is not an array of messages",
    variables,
  );
}

function isText(text: unknown): text is string {
  return typeof text === "string";
}
