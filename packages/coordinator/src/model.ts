import { onAbort } from "@ringrank/collectives";
import { RingrankError, requireOptions, show } from "@ringrank/errors";
import { interfaceNames } from "@ringrank/model/serving";
import type { PartitionPolicy } from "@ringrank/policy";
import type { LoadReport, StepCounters } from "@ringrank/rank-worker";
import { type EmbeddingModel, embed } from "./embedding/embed.js";
import { Embedder } from "./embedding/embedder.js";
import { Detokenizer, type KnownTexts } from "./generation/detokenizer.js";
import { checkCall } from "./generation/generate-call.js";
import { type Detokenize, GeneratedSequence } from "./generation/generated-sequence.js";
import type { Generation } from "./generation/generation.js";
import { GenerationStream } from "./generation/generation-stream.js";
import { requireGenerate } from "./generation/require-generate.js";
import type { RankGroup } from "./group/rank-group.js";
import { checkInputs, type InputValue } from "./inputs/inputs.js";
import { modelFailed } from "./model-ended.js";
import type { ModelFacts } from "./model-facts.js";
import type { Offload } from "./offload/offload.js";
import type { TextService } from "./offload/text-service.js";
import { checkEmbedOptions, type EmbedOptions, refusePromptOfIds } from "./options/embed-options.js";
import type { GenerateOptions } from "./options/generate-options.js";
import { checkRunOptions, type RunOptions } from "./options/run-options.js";
import { type Prompt, Prompts } from "./prompts/prompts.js";
import { checkSource } from "./prompts/sources.js";
import { PrefixCache } from "./scheduler/prefix-cache.js";
import { Scheduler } from "./scheduler/scheduler.js";
import { AppendedSequence, type Sequence, type SequenceOptions } from "./sequence.js";
import { type Tensor, type TensorOf, tensorFromMessage } from "./tensor.js";
import { untilAborted } from "./until-aborted.js";

/** The parts of a model; `loadModel` puts them together. */
export interface ModelParts {
  readonly policy: PartitionPolicy;
  readonly facts: ModelFacts;
  readonly group: RankGroup;
  /** Undefined if the model has no tokenizer. */
  readonly texts: Offload<TextService> | undefined;
  /** Default: 0, no prefix cache. */
  readonly prefixCacheTokens?: number;
}

/**
 * A loaded model. It keeps its process alive until {@link close}. Bad input, aborts and overlong prompts leave it
 * usable. A fault of a rank ends it: later calls reject with `RR_MODEL_FAILED`, whose cause is the first fault.
 */
export class Model {
  /** Which rank holds what, and why: `policy.table()`, `policy.toJSON()`. */
  readonly policy: PartitionPolicy;
  readonly ranks: number;
  /**
   * The most tokens of one sequence, and of an encoder's source unless its tables have a limit of their own; undefined
   * if the model sets no limit.
   */
  readonly maxContext: number | undefined;
  /** Token ids are below this; undefined if the model has no vocabulary. */
  readonly vocabSize: number | undefined;
  readonly #facts: ModelFacts;
  readonly #group: RankGroup;
  readonly #texts: Offload<TextService> | undefined;
  readonly #scheduler: Scheduler;
  readonly #prompts: Prompts;
  readonly #knownTexts: KnownTexts = new Map();
  #nextSequence = 0;
  #closing: Promise<void> | undefined;

  constructor({ policy, facts, group, texts, prefixCacheTokens = 0 }: ModelParts) {
    this.policy = policy;
    this.ranks = group.worldSize;
    this.maxContext = facts.maxContext;
    this.vocabSize = facts.vocabSize;
    this.#facts = facts;
    this.#group = group;
    this.#texts = texts;
    this.#scheduler = new Scheduler(group, {
      ...(facts.takesOneToken && { prefillChunk: 1 }),
      prefixCache: prefixCacheTokens > 0 ? new PrefixCache(prefixCacheTokens, facts.cacheLimits) : undefined,
    });
    this.#prompts = new Prompts(facts.encoder ?? facts, texts);
    group.onFailure((cause) => void texts?.close(modelFailed(cause)));
  }

  /**
   * Runs the whole graph once, without the KV cache. An encoder–decoder encodes `input_ids` and decodes
   * `decoder_input_ids`; if only outputs of the encoder are requested, only the encoder runs.
   *
   * @param inputs by name, such as `{ input_ids: [[5, 6, 7]] }`; `attention_mask`, 0 for padding and else 1, is optional
   * @returns the requested outputs, by name, as the caller's own copies; logits are `[batch, sequence, vocabulary]`, or
   * `[batch, 1, vocabulary]` if only those of each sequence's last token were requested
   * @throws RR_INPUT, RR_SHAPE, RR_TYPE, RR_TOKEN_ID, RR_CONTEXT, RR_EMPTY_PROMPT, RR_OPTION; RR_CLOSED,
   * RR_MODEL_FAILED; or the reason of `signal`
   */
  async run(
    inputs: Readonly<Record<string, InputValue>>,
    options: RunOptions = {},
  ): Promise<Record<string, Tensor>> {
    const { outputs, logits, signal } = checkRunOptions(options, this.#facts.outputs);
    const { encoder } = this.#facts;
    const encodes = encoder !== undefined && outputs.every((name) => encoder.outputs.includes(name));
    const request = {
      entry: encoder === undefined ? "forward" : encodes ? "encode" : "decode",
      inputs: checkInputs(inputs, this.#facts, encodes ? encoder.inputs : undefined),
      outputs,
      logits,
    };
    const result = await this.#scheduler.run(request, signal);
    return Object.fromEntries(
      Object.entries(result.outputs).map(([name, message]) => [name, tensorFromMessage(name, message)]),
    );
  }

  /**
   * Turns texts, or the token ids of texts, into vectors, by pooling the hidden states of the last layer.
   *
   * ```js
   * const { dims, data } = await model.embed(["a rose", "a flower"]);   // dims: [2, width]
   * ```
   *
   * A checkpoint with a `modules.json`, as sentence-transformers saves them, says how: how states are pooled, what the
   * vector is multiplied by, whether it is normalised, which prompt texts have, and where those that are too long are cut.
   * Without one, vectors are means, normalised, of an encoder's states, and a text that is too long is refused.
   *
   * @returns float32 `[texts, width]`. Padding has no effect beyond rounding.
   * @throws RR_NO_EMBED if the model gives no `last_hidden_state`, or its modules.json asks for what is not supported;
   * RR_OPTION, RR_INPUT, RR_NO_TOKENIZER, RR_EMPTY_PROMPT, RR_TOKEN_ID, RR_CONTEXT; RR_CLOSED, RR_MODEL_FAILED; or the
   * reason of `signal`
   */
  async embed(
    texts: readonly (string | readonly number[])[],
    options: EmbedOptions = {},
  ): Promise<TensorOf<"float32">> {
    const checked = checkEmbedOptions(options);
    const { signal } = checked;
    const embedder = Embedder.of(this.#facts);
    if (!Array.isArray(texts) || texts.length === 0) {
      throw new RingrankError(
        "RR_INPUT",
        `expected an array of at least one text, or of arrays of token ids; got ${show(texts)}`,
      );
    }
    refusePromptOfIds(texts, checked);
    const { cut, poolsPrompt } = embedder;
    const behind = { prompt: embedder.promptOf(checked), cut, poolsPrompt };
    const embedded = await untilAborted(signal, () => this.#prompts.embeddedTexts(texts, behind));
    const { lastHiddenState, pooled, sentenceEmbedding, attentionMask } = interfaceNames;
    const model: EmbeddingModel = {
      hidden: async (inputs) =>
        (await this.run(inputs, { outputs: [lastHiddenState], signal }))[lastHiddenState],
      project: async (vectors) => {
        const inputs = { [pooled]: vectors };
        const request = { entry: "project", inputs, outputs: [sentenceEmbedding], logits: "all" } as const;
        const { outputs } = await this.#scheduler.run(request, signal);
        return tensorFromMessage(sentenceEmbedding, outputs[sentenceEmbedding]!) as TensorOf<"float32">;
      },
      hasMask: this.#facts.inputs.some(({ name }) => name === attentionMask),
    };
    return embed(embedded, model, embedder.stepsOf(checked));
  }

  /**
   * Continues a prompt: a text, token ids, or messages, which the model's chat template turns into a text that the
   * assistant's turn continues. An encoder–decoder reads the prompt as its source and generates the target. The call
   * itself never throws: all errors arrive in the iterator and in `result`.
   *
   * ```js
   * for await (const token of model.generate("ROMEO:\n", { maxNewTokens: 80 })) process.stdout.write(token.text);
   * const { text } = await model.generate([{ role: "user", content: "Who art thou?" }]).result;
   * ```
   *
   * @throws in the iterator and in `result`: RR_OPTION, RR_INPUT, RR_NO_GENERATE, RR_NO_TOKENIZER,
   * RR_NO_CHAT_TEMPLATE, RR_FILE_FORMAT (of the template), RR_EMPTY_PROMPT, RR_TOKEN_ID, RR_CONTEXT; RR_CLOSED,
   * RR_MODEL_FAILED, a rank's fault; or the reason of `signal`
   */
  generate(prompt: Prompt, options: GenerateOptions = {}): Generation {
    const stream = new GenerationStream();
    this.#start(stream, prompt, options).catch((error: unknown) => stream.fail(error));
    return stream;
  }

  /**
   * An empty sequence: append tokens to it to get the logits of each, for scoring, for samplers of your own, or for
   * tests. With an encoder–decoder it is the target, and `source` is what the encoder reads, once.
   *
   * @throws RR_NO_GENERATE; RR_OPTION, RR_EMPTY_PROMPT, RR_TOKEN_ID, RR_CONTEXT for the source
   */
  sequence(options: SequenceOptions = {}): Sequence {
    requireGenerate(this.#facts);
    requireOptions(options, ["source"]);
    const source = checkSource(options.source, this.#facts);
    const wake = () => this.#scheduler.wake();
    const sequence = new AppendedSequence(this.#nextSequence++, source, this.#facts, wake);
    this.#scheduler.add(sequence);
    return sequence;
  }

  /** Work that generations and sequences have done since loading, as of the last step. */
  counters(): StepCounters {
    return this.#scheduler.counters;
  }

  /** By rank: the bytes of parameters that it holds, and the bytes that it read to get them. */
  memory(): readonly LoadReport[] {
    return this.#group.reports;
  }

  /**
   * Ends running calls with `RR_CLOSED`, and then all threads. The promise always settles; further calls return the
   * same one. Also available as `Symbol.asyncDispose`.
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
    await Promise.all([this.#group.close(), this.#texts?.close(error)]);
    await ended;
  }

  async #start(stream: GenerationStream, prompt: Prompt, options: GenerateOptions): Promise<void> {
    const { options: checked, target } = checkCall(options, this.#facts, this.#prompts);
    const { signal } = checked;
    signal?.throwIfAborted();
    stream.onEnd(onAbort(signal, () => stream.fail(signal?.reason)));
    const id = this.#nextSequence++;
    const ids = await this.#prompts.promptIdsOf(prompt, checked.templateVariables);
    stream.onEnd(() => this.#forget(id));
    const sequence = new GeneratedSequence({
      id,
      source: target && ids,
      prompt: target ?? ids,
      options: checked,
      eosIds: this.#facts.eosIds,
      forcedEosIds: this.#facts.forcedEosIds,
      maxContext: this.#facts.maxContext,
      stream,
      detokenize: this.#texts && this.#detokenizer(id, this.#texts),
    });
    stream.begin(ids.length, () => this.#scheduler.wake());
    this.#scheduler.add(sequence);
  }

  #detokenizer(generation: number, texts: Offload<TextService>): Detokenize {
    const detokenizer = new Detokenizer(this.#knownTexts, (id, last) =>
      texts.call((remote) => remote.detokenize(generation, id, last)),
    );
    return (id, last) => detokenizer.push(id, last);
  }

  /** Makes the text thread forget a generation. */
  #forget(id: number): void {
    // If the thread is gone, so is its state, and the next call that needs the thread reports that.
    this.#texts?.call((remote) => remote.forget(id)).catch(() => {});
  }
}
