import { Template } from "@huggingface/jinja";
import { RingrankError } from "@ringrank/errors";
import { inParts, readsParts } from "./content-parts.js";
import { argumentsAsInPython } from "./filter-arguments.js";
import { findTemplate } from "./find-template.js";
import { comparedAsInPython, pythonComparisons } from "./python-comparisons.js";
import { changedAsInPython, pythonTexts } from "./python-texts.js";
import { rewrittenTemplate } from "./rewritten-template.js";
import { strftime } from "./strftime.js";

/** One turn of a conversation. */
export interface ChatMessage {
  /** The speaker: most templates know `system`, `user` and `assistant`. */
  readonly role: string;
  readonly content: string;
}

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
      this.#template.parsed = rewrittenTemplate(this.#template.parsed, [
        comparedAsInPython,
        changedAsInPython,
        argumentsAsInPython,
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
   * @throws RR_INPUT for a conversation that the template refuses, with its own message; RR_FILE_FORMAT if it fails
   * otherwise, for example because it uses a feature of Jinja that the library does not support
   */
  render(messages: readonly ChatMessage[]): string {
    try {
      return this.#template.render({
        ...this.#tokens,
        ringrank_refuse: refuse,
        ringrank_strftime_now: (format: unknown) => strftime(new Date(), String(format)),
        ...pythonComparisons,
        ...pythonTexts,
        messages: this.#readsParts ? messages.map(inParts) : messages,
        add_generation_prompt: true,
        // As in transformers, where they exist and are None.
        tools: null,
        documents: null,
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
}

/**
 * The chat template of a model directory; undefined if it has none.
 *
 * @throws RR_FILE_FORMAT if it has something that is not a template
 */
export function loadChatTemplate(directory: string): ChatTemplate | undefined {
  const found = findTemplate(directory);
  return found && new ChatTemplate(found.source, found.tokens, found.where);
}
