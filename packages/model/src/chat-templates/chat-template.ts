import { Template } from "@huggingface/jinja";
import { RingrankError } from "@ringrank/errors";
import { inParts, readsParts } from "./content-parts.js";
import { argumentsAsInPython } from "./filter-arguments.js";
import { findTemplate } from "./find-template.js";
import { type Mentions, mentionsOf } from "./mentions.js";
import { comparedAsInPython, pythonComparisons } from "./python-comparisons.js";
import { changedAsInPython, pythonTexts } from "./python-texts.js";
import { pythonValues, valuesAsInPython } from "./python-values.js";
import { pythonWriting, writtenAsInPython } from "./python-writing.js";
import { rewrittenTemplate } from "./rewritten-template.js";
import { strftime } from "./strftime.js";

/**
 * One turn of a conversation. Templates may know more fields than these. A message is refused if it has another field,
 * or calls of tools, and the model's template does not read them.
 */
export interface ChatMessage {
  /** The speaker: most templates know `system`, `user` and `assistant`, and those with tools `tool`. */
  readonly role: string;
  /** May be omitted, or null, where another field says what the message is. */
  readonly content?: string | null | undefined;
  /** Tools that the assistant has called, in JSON. Most templates expect `{ function: { name, arguments } }`. */
  readonly tool_calls?: readonly unknown[] | undefined;
  /** The call that a tool answers. */
  readonly tool_call_id?: string | undefined;
  /** The name of the tool, or of the speaker. */
  readonly name?: string | undefined;
  /** What the assistant thought before it answered. */
  readonly reasoning_content?: string | undefined;
}

/**
 * What a template reads besides messages, in JSON: `tools` (https://huggingface.co/docs/transformers/chat_extras),
 * `documents`, and switches that a model has, such as `enable_thinking`.
 */
export type TemplateVariables = Readonly<Record<string, unknown>>;

/** Fields of messages that some templates do not need: calls can be told by their order, and thoughts be forgotten. */
const optional: ReadonlySet<string> = new Set([
  "role",
  "content",
  "tool_call_id",
  "name",
  "reasoning_content",
]);

/** The variables that belong to rendering, not to the conversation. */
const own: readonly string[] = ["messages", "add_generation_prompt"];

/** A template's message for a conversation that it refuses, by `raise_exception`. */
class Refusal extends Error {}

function refuse(reason: unknown): never {
  throw new Refusal(String(reason));
}

/**
 * The library's own `raise_exception` throws an error that cannot be distinguished from its others, and its
 * `strftime_now` leaves most directives unchanged.
 */
const prelude = "{% set raise_exception = ringrank_refuse %}{% set strftime_now = ringrank_strftime_now %}\n";

/**
 * Replaces blocks of what the assistant generates, which training uses, by blocks without effect. The library would
 * remove their tags, so that `{{-` would strip what precedes such a block.
 */
function withPlainGeneration(source: string): string {
  return source.replace(/\{%(-?)\s*(end)?generation\s*(-?)%\}/g, (_, left, end, right) =>
    end === undefined ? `{%${left} if true ${right}%}` : `{%${left} endif ${right}%}`,
  );
}

/**
 * How a model wants conversations to be formatted: a Jinja template, in `chat_template.jinja` or in
 * `tokenizer_config.json` (https://huggingface.co/docs/transformers/chat_templating).
 */
export class ChatTemplate {
  readonly #template: Template;
  readonly #tokens: Readonly<Record<string, string>>;
  readonly #where: string;
  /** Whether it iterates over the parts of a content, and does not support text. */
  readonly #readsParts: boolean;
  readonly #mentions: Mentions;

  /**
   * @param source in Jinja, which treats every line ending as `\n`
   * @param tokens texts of special tokens, by the names that templates use
   * @param where names the template in errors
   * @throws RR_FILE_FORMAT if it is not valid Jinja
   */
  constructor(source: string, tokens: Readonly<Record<string, string>>, where: string) {
    try {
      this.#template = new Template(prelude + withPlainGeneration(source.replace(/\r\n?/g, "\n")));
      this.#readsParts = readsParts(this.#template.parsed);
      this.#mentions = mentionsOf(this.#template.parsed);
      this.#template.parsed = rewrittenTemplate(this.#template.parsed, [
        comparedAsInPython,
        changedAsInPython,
        argumentsAsInPython,
        valuesAsInPython,
        writtenAsInPython,
      ]);
    } catch (cause) {
      const message = `${where}: cannot be used as a chat template: ${(cause as Error).message}`;
      throw new RingrankError("RR_FILE_FORMAT", message, { cause });
    }
    this.#tokens = tokens;
    this.#where = where;
  }

  /**
   * The conversation as a text that the assistant's next turn continues, with all special tokens that it needs.
   *
   * @throws RR_INPUT for a conversation that the template refuses, with its own message, or whose fields it does not
   * read; RR_OPTION for variables that it does not read; RR_FILE_FORMAT if it fails otherwise, for example because it
   * uses a feature of Jinja that the library does not support
   */
  render(messages: readonly ChatMessage[], variables: TemplateVariables = {}): string {
    this.#requireRead(messages, variables);
    try {
      return this.#template.render({
        ...this.#tokens,
        // As in transformers, where they exist and are None.
        tools: null,
        documents: null,
        ...variables,
        messages: this.#readsParts ? messages.map(inParts) : messages,
        add_generation_prompt: true,
        ringrank_refuse: refuse,
        ringrank_strftime_now: (format: unknown) => strftime(new Date(), String(format)),
        ...pythonComparisons,
        ...pythonTexts,
        ...pythonValues,
        ...pythonWriting,
      });
    } catch (cause) {
      const { message } = cause as Error;
      if (cause instanceof Refusal) {
        const refused = `the model's chat template refuses the messages: ${message}`;
        throw new RingrankError("RR_INPUT", refused, { cause });
      }
      throw new RingrankError(
        "RR_FILE_FORMAT",
        `${this.#where}: the chat template fails: ${message}; it may use an unsupported feature of Jinja. Pass text in the ` +
          "format that the model was trained on",
        { cause },
      );
    }
  }

  /** Refuses what would have no effect: a name that is mistyped, or tools for a model that was not trained on them. */
  #requireRead(messages: readonly ChatMessage[], variables: TemplateVariables): void {
    const { variables: known, names } = this.#mentions;
    for (const name of Object.keys(variables)) {
      if (known.has(name) && !own.includes(name)) continue;
      const why = own.includes(name)
        ? "is set by Ringrank itself"
        : "is not read by the model's chat template";
      throw new RingrankError("RR_OPTION", `templateVariables: ${JSON.stringify(name)} ${why}; leave it out`);
    }
    for (const [index, message] of messages.entries()) {
      const unread = Object.keys(message).find((field) => !names.has(field) && !optional.has(field));
      if (unread === undefined) continue;
      throw new RingrankError(
        "RR_INPUT",
        `message ${index}: the model's chat template does not read ${JSON.stringify(unread)}; leave it out`,
      );
    }
  }
}

/**
 * The chat template of a model directory; undefined if it has none.
 *
 * @param withTools whether the one for conversations with tools is preferred, if there are two
 * @throws RR_FILE_FORMAT if it has something that is not a template
 */
export function loadChatTemplate(directory: string, withTools: boolean): ChatTemplate | undefined {
  const found = findTemplate(directory, withTools);
  return found && new ChatTemplate(found.source, found.tokens, found.where);
}
