import { RingrankError } from "@ringrank/errors";
import { interfaceNames } from "@ringrank/model";
import type { PartitionPolicy } from "@ringrank/policy";
import type { LoadReport, StepCounters } from "@ringrank/rank-worker";
import { GeneratedSequence } from "./generation/generated-sequence.js";
import type { Generation } from "./generation/generation.js";
import { TokenStream } from "./generation/token-stream.js";
import { modelFailed, type RankGroup } from "./group/rank-group.js";
import { checkInputs, checkLength, checkTokenId, type InputValue } from "./inputs/inputs.js";
import type { ModelFacts } from "./model-facts.js";
import type { Offload } from "./offload/offload.js";
import { checkGenerateOptions, type GenerateOptions } from "./options/generate-options.js";
import { checkRunOptions, type RunOptions } from "./options/run-options.js";
import { Scheduler } from "./scheduler/scheduler.js";
import { AppendedSequence, type Sequence } from "./sequence.js";
import { type Tensor, tensorFromMessage } from "./tensor.js";

/** What a model is made of; `loadModel` puts it together. */
export interface ModelParts {
  readonly policy: PartitionPolicy;
  readonly facts: ModelFacts;
  readonly group: RankGroup;
  readonly offload: Pick<Offload, "call" | "close">;
}

/**
 * A loaded model. It keeps its process alive until {@link close}. Bad input, aborts and overlong prompts leave it
 * usable; a fault of a rank ends it, and later calls reject `RR_MODEL_FAILED` with the first cause.
 */
export class Model {
  /** Who holds what, and why: `policy.table()`, `policy.toJSON()`. */
  readonly policy: PartitionPolicy;
  readonly ranks: number;
  /** Most tokens of one sequence; undefined where the model sets no limit. */
  readonly maxContext: number | undefined;
  /** Token ids run from 0 to one less; undefined where the model has no vocabulary. */
  readonly vocabSize: number | undefined;
  readonly #facts: ModelFacts;
  readonly #group: RankGroup;
  readonly #offload: Pick<Offload, "call" | "close">;
  readonly #scheduler: Scheduler;
  #nextSequence = 0;
  #closing: Promise<void> | undefined;

  constructor({ policy, facts, group, offload }: ModelParts) {
    this.policy = policy;
    this.ranks = group.worldSize;
    this.maxContext = facts.maxContext;
    this.vocabSize = facts.vocabSize;
    this.#facts = facts;
    this.#group = group;
    this.#offload = offload;
    this.#scheduler = new Scheduler(group);
    group.onFailure((cause) => void offload.close(modelFailed(cause)));
  }

  /**
   * Runs the whole graph once, without the KV cache.
   *
   * @param inputs by name, such as `{ input_ids: [[5, 6, 7]] }`; `attention_mask` (0 for padding) is optional
   * @returns the outputs asked for, by name, the caller's own; logits are `[batch, sequence, vocabulary]`, or
   * `[batch, 1, vocabulary]` of each sequence's last token
   * @throws RR_INPUT, RR_SHAPE, RR_TYPE, RR_TOKEN_ID, RR_CONTEXT, RR_EMPTY_PROMPT, RR_OPTION; RR_CLOSED,
   * RR_MODEL_FAILED; or the reason of `signal`
   */
  async run(
    inputs: Readonly<Record<string, InputValue>>,
    options: RunOptions = {},
  ): Promise<Record<string, Tensor>> {
    const { outputs, logits, signal } = checkRunOptions(options, this.#facts.outputs);
    const request = { entry: "forward", inputs: checkInputs(inputs, this.#facts), outputs, logits };
    const result = await this.#scheduler.run(request, signal);
    return Object.fromEntries(
      Object.entries(result.outputs).map(([name, message]) => [name, tensorFromMessage(name, message)]),
    );
  }

  /**
   * Continues a prompt, a text or token ids. Never throws: what is wrong with the call, the reader and the result
   * learn.
   *
   * ```js
   * for await (const token of model.generate("ROMEO:\n", { maxNewTokens: 80 })) process.stdout.write(token.text);
   * ```
   *
   * @throws in the iterator and in `result`: RR_OPTION, RR_NO_GENERATE, RR_NO_TOKENIZER, RR_EMPTY_PROMPT,
   * RR_TOKEN_ID, RR_CONTEXT; RR_CLOSED, RR_MODEL_FAILED, a rank's fault; or the reason of `signal`
   */
  generate(prompt: string | readonly number[], options: GenerateOptions = {}): Generation {
    const stream = new TokenStream();
    this.#start(stream, prompt, options).catch((error: unknown) => stream.fail(error));
    return stream;
  }

  /**
   * An empty sequence to append given tokens to and see the logits of each: for scoring, one's own sampling, tests.
   *
   * @throws RR_NO_GENERATE
   */
  sequence(): Sequence {
    this.#requireCache();
    const sequence = new AppendedSequence(this.#nextSequence++, this.#facts, () => this.#scheduler.wake());
    this.#scheduler.add(sequence);
    return sequence;
  }

  /** Work done since loading, as of the last step. */
  counters(): StepCounters {
    return this.#scheduler.counters;
  }

  /** By rank: parameter bytes kept and bytes read to get them. */
  memory(): readonly LoadReport[] {
    return this.#group.reports;
  }

  /**
   * Ends running calls with `RR_CLOSED` and all threads. Always settles; a second call is the first. Also
   * `Symbol.asyncDispose`.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const error = new RingrankError("RR_CLOSED", "the model is closed; load it again to use it");
    const ended = this.#scheduler.end(error);
    await Promise.all([this.#group.close(), this.#offload.close(error)]);
    await ended;
  }

  async #start(
    stream: TokenStream,
    prompt: string | readonly number[],
    options: GenerateOptions,
  ): Promise<void> {
    const checked = checkGenerateOptions(options, this.#facts.generationDefaults);
    this.#requireCache();
    if (checked.stop.length > 0) this.#requireTokenizer("stop strings");
    const { signal } = checked;
    signal?.throwIfAborted();
    const abort = (): void => stream.fail(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    stream.onEnd(() => signal?.removeEventListener("abort", abort));
    const id = this.#nextSequence++;
    const ids = await this.#promptIds(prompt);
    stream.onEnd(() => this.#forget(id));
    const sequence = new GeneratedSequence({
      id,
      prompt: ids,
      options: checked,
      eosIds: this.#facts.eosIds,
      maxContext: this.#facts.maxContext,
      stream,
      detokenize: this.#facts.hasTokenizer
        ? (token, last) => this.#offload.call((remote) => remote.detokenize(id, token, last))
        : undefined,
    });
    stream.begin(ids.length, () => this.#scheduler.wake());
    this.#scheduler.add(sequence);
  }

  /** Lets go of what the offload thread keeps for a generation's text. */
  #forget(id: number): void {
    if (!this.#facts.hasTokenizer || this.#closing !== undefined) return;
    // Should the thread be gone, so is what it kept; the next call that needs it says so.
    this.#offload.call((remote) => remote.forget(id)).catch(() => {});
  }

  async #promptIds(prompt: unknown): Promise<readonly number[]> {
    const ids = await this.#tokenize(prompt);
    if (ids.length === 0) {
      throw new RingrankError("RR_EMPTY_PROMPT", "expected a prompt of at least one token, got none");
    }
    for (const id of ids) checkTokenId(id, this.#facts);
    checkLength(ids.length, this.#facts);
    return ids;
  }

  async #tokenize(prompt: unknown): Promise<readonly number[]> {
    if (typeof prompt === "string") {
      this.#requireTokenizer("a text");
      return this.#offload.call((remote) => remote.encode(prompt));
    }
    if (Array.isArray(prompt)) return [...prompt];
    throw new RingrankError(
      "RR_INPUT",
      `expected a text or an array of token ids as prompt, got ${typeof prompt}`,
    );
  }

  #requireCache(): void {
    if (this.#facts.generates) return;
    throw new RingrankError(
      "RR_NO_GENERATE",
      `the model has no causal cache or no ${interfaceNames.logits}, so it cannot generate; use run`,
    );
  }

  #requireTokenizer(what: string): void {
    if (this.#facts.hasTokenizer) return;
    throw new RingrankError(
      "RR_NO_TOKENIZER",
      `${what} needs a tokenizer.json, which the model has not; give token ids`,
    );
  }
}
