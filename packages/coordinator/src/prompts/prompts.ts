import { RingrankError } from "@ringrank/errors";
import { checkIds } from "../inputs/inputs.js";
import type { ModelFacts } from "../model-facts.js";
import type { Offload } from "../offload/offload.js";

/** Makes token ids of what callers give as texts; tokenizing happens on the offload thread. */
export class Prompts {
  readonly #facts: ModelFacts;
  readonly #offload: Pick<Offload, "call">;

  constructor(facts: ModelFacts, offload: Pick<Offload, "call">) {
    this.#facts = facts;
    this.#offload = offload;
  }

  /**
   * The ids of a text, or those given.
   *
   * @throws RR_INPUT, RR_NO_TOKENIZER, RR_EMPTY_PROMPT, RR_TOKEN_ID, RR_CONTEXT
   */
  async idsOf(prompt: unknown): Promise<readonly number[]> {
    const ids = await this.#tokenize(prompt);
    checkIds(ids, this.#facts);
    return ids;
  }

  /** @throws RR_NO_TOKENIZER */
  requireTokenizer(what: string): void {
    if (this.#facts.hasTokenizer) return;
    throw new RingrankError(
      "RR_NO_TOKENIZER",
      `${what} needs a tokenizer.json, which the model has not; give token ids`,
    );
  }

  async #tokenize(prompt: unknown): Promise<readonly number[]> {
    if (typeof prompt === "string") {
      this.requireTokenizer("a text");
      return this.#offload.call((remote) => remote.encode(prompt));
    }
    if (Array.isArray(prompt)) return [...prompt];
    throw new RingrankError(
      "RR_INPUT",
      `expected a text or an array of token ids as prompt, got ${typeof prompt}`,
    );
  }
}
