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
  /** Who speaks: most templates know `system`, `user` and `assistant`. */
  readonly role: string;
  readonly content: string;
}

/** What a template says of a conversation that it cannot write, by `raise_exception`. */
class Refusal extends Error {}

function refuse(reason: unknown): never {
  throw new Refusal(String(reason));
}

/**
 * The library's own `raise_exception` throws what cannot be told from its other errors, and its `strftime_now` leaves
 * most directives as they are.
 */
const prelude = "{% set raise_exception = ringrank_refuse %}{% set strftime_now = ringrank_strftime_now %}\n";

/**
 * Blocks of what the assistant generates, which training looks at, as blocks that say nothing. The library takes their
 * tags out, so that `{{-` would strip what stands before such a block.
 */
function withPlainGeneration(source: string): string {
  return source.replace(/\{%(-?)\s*(end)?generation\s*(-?)%\}/g, (_, left, end, right) =>
    end === undefined ? `{%${left} if true ${right}%}` : `{%${left} endif ${right}%}`,
  );
}

/**
 * How a model wants a conversation written: a Jinja template, in `chat_template.jinja` or in `tokenizer_config.json`
 * (https://huggingface.co/docs/transformers/chat_templating).
 */
export class ChatTemplate {
  readonly #template: Template;
  readonly #tokens: Readonly<Record<string, string>>;
  readonly #where: string;
  /** Whether it goes through the parts of a content, and cannot have it as a text. */
  readonly #readsParts: boolean;

  /**
   * @param source in Jinja, which takes every end of a line for `\n`
   * @param tokens texts of special tokens, by the names that templates use
   * @param where names the template in errors
   * @throws RR_FILE_FORMAT if it is no Jinja
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
   * The conversation as a text that the assistant's next turn continues. It has all special tokens that it needs.
   *
   * @throws RR_INPUT for a conversation that the template refuses, in its own words; RR_FILE_FORMAT where it fails
   * otherwise, as with what the library does not know of Jinja
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
        // As in transformers, where they are there and None.
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
 * @throws RR_FILE_FORMAT if what it has is no template
 */
export function loadChatTemplate(directory: string): ChatTemplate | undefined {
  const found = findTemplate(directory);
  return found && new ChatTemplate(found.source, found.tokens, found.where);
}
