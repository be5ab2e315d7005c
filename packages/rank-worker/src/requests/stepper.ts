import { RingrankError } from "@ringrank/errors";
import type { Entry } from "@ringrank/policy";
import { KvCache, type StepRange } from "../cache/kv-cache.js";
import type { CompiledEntry } from "../execution/compiled-entry.js";
import { runEntry } from "../execution/run-entry.js";
import type { RunContext } from "../execution/steps/compiled-step.js";
import { TransientTensor } from "../kernels/transient-tensor.js";
import type { GivenTokens, RestoredSequence, StepRequest, StepRowResult, StepSource } from "../protocol.js";
import { chooseTokens, type TokenChoice } from "../sampling/choose-tokens.js";
import { VocabularyShare } from "../sampling/vocabulary-share.js";
import { integers } from "../tensors/element-types.js";
import { inOrder } from "../tensors/in-order.js";
import { tensor } from "../tensors/tensor.js";
import { names, tokenInputs } from "./interface-names.js";
import { runInputs } from "./run-inputs.js";
import { ShardedLogits } from "./sharded-logits.js";
import { type BatchRow, StepInputs } from "./step-inputs.js";
import { TokenHistory } from "./token-history.js";

/**
 * Advances sequences token by token: keeps their caches and tokens, and chooses the next tokens.
 *
 * What it makes in every step is made by `Array.from`. Arrays that `map` returns change their kind when the engine
 * compiles its caller, and all code that reads them is compiled twice (docs/design/waiting.md).
 */
export class Stepper {
  readonly #decoder: CompiledEntry;
  readonly #encoder: CompiledEntry | undefined;
  readonly #context: RunContext;
  readonly #cache: KvCache;
  readonly #inputs: StepInputs;
  readonly #logits: ShardedLogits;
  readonly #share: VocabularyShare;
  readonly #history = new TokenHistory();
  steps = 0;
  /** New tokens fed to the graph, summed over steps and rows. */
  tokens = 0;
  /** Tokens of sources, summed over sequences. */
  sourceTokens = 0;
  /** Experts that at least one row was routed to, summed over layers and steps. */
  experts = 0;

  /** Whether an entry takes token ids and returns logits, so that it can advance sequences. */
  static serves(entry: Entry): boolean {
    const { ids } = tokenInputs(entry);
    return (
      entry.inputs.some(({ name }) => name === ids) && entry.outputs.some(({ name }) => name === names.logits)
    );
  }

  /**
   * @param encoder fills those of the decoder's caches that the decoder itself does not, for cross-attention
   * @throws RR_POLICY if the decoder has no logits
   */
  constructor(decoder: CompiledEntry, encoder: CompiledEntry | undefined, context: RunContext) {
    const { rank, worldSize } = context.communicator;
    this.#decoder = decoder;
    this.#encoder = encoder;
    this.#context = context;
    this.#cache = new KvCache(decoder.entry, encoder?.entry, decoder.attention?.kernels);
    this.#inputs = new StepInputs(decoder.entry);
    this.#logits = new ShardedLogits(decoder.entry, rank);
    this.#share = new VocabularyShare(this.#logits.vocabulary, this.#logits.shard, rank, worldSize);
  }

  /** @returns results by row, the same on every rank */
  async step({ keep, close, restore, encode = [], rows }: StepRequest): Promise<StepRowResult[]> {
    if (keep !== undefined) this.#traced("cache", "keep", () => this.#keep(keep));
    for (const sequence of close) {
      this.#cache.close(sequence);
      this.#history.forget(sequence);
    }
    if (restore !== undefined) this.#traced("cache", "restore", () => this.#restore(restore));
    for (const source of encode) await this.#encode(source);
    const resolved = Array.from(rows, (row) => this.#history.resolve(row));
    const results = (await this.#advance(resolved.filter((row) => row !== undefined))).values();
    return Array.from(resolved, (row) => (row === undefined ? {} : results.next().value!));
  }

  async #advance(rows: readonly GivenTokens[]): Promise<StepRowResult[]> {
    if (rows.length === 0) return [];
    const results = new Array<StepRowResult>(rows.length);
    for (const batch of this.#cache.batches(Array.from(rows, ({ sequence }) => sequence))) {
      const advanced = await this.#run(Array.from(batch, (index) => rows[index]!));
      for (const [at, index] of batch.entries()) results[index] = advanced[at]!;
    }
    this.steps++;
    return results;
  }

  /** Advances rows that fit in one run of the graph. */
  async #run(rows: readonly GivenTokens[]): Promise<StepRowResult[]> {
    const newTokens = rows[0]!.ids.length;
    const sequences = Array.from(rows, (row) => row.sequence);
    const range = this.#traced("cache", "slots", () => this.#cache.arrange(sequences));
    const wanted = this.#wantedRows(rows, newTokens, range);
    const asksForLogits = wanted.some((flat) => flat.length > 0);
    const inputs = this.#inputsOf(rows, newTokens, range, wanted.flat());
    const { outputs, expertsRun } = await runEntry(
      this.#decoder,
      inputs,
      this.#context,
      asksForLogits ? "all" : "caches",
    );
    this.#traced("cache", "append", () => this.#cache.append(sequences, newTokens, range, outputs));
    for (const row of rows) this.#history.enter(row);
    this.tokens += rows.length * newTokens;
    this.experts += expertsRun;

    let results = Array.from(rows, (): StepRowResult => ({}));
    if (asksForLogits) {
      const logits = this.#logits.rows(outputs, wanted);
      results = this.#traced("choosing", "choose", () => this.#results(rows, logits));
    }
    TransientTensor.releaseAll(outputs);
    return results;
  }

  #traced<T>(work: "cache" | "choosing", name: string, act: () => T): T {
    const { trace } = this.#context;
    if (trace === undefined) return act();
    const start = trace.begin();
    const result = act();
    trace.end(work, name, start);
    return result;
  }

  #keep(sequences: readonly number[]): void {
    for (const sequence of sequences) this.#cache.keep(sequence);
  }

  #restore(restored: readonly RestoredSequence[]): void {
    for (const { sequence, from, tokens } of restored) {
      this.#cache.restore(sequence, from, tokens);
      this.#history.enter({ sequence, ids: this.#history.had(from).tokens.slice(0, tokens) });
    }
  }

  /** Each source is encoded by itself: a batch would have to be padded to one length, and would save no computation. */
  async #encode({ sequence, ids }: StepSource): Promise<void> {
    const encoder = this.#encoder;
    if (encoder === undefined) {
      throw new RingrankError("RR_INPUT", `sequence ${sequence} has a source, but the model has no encoder`);
    }
    const name = tokenInputs(encoder.entry).ids;
    const source = tensor("int64", integers("int64", ids), [1, ids.length]);
    const inputs = runInputs(encoder.entry, new Map([[name, source]]), "last");
    const { outputs } = await runEntry(encoder, inOrder(encoder.entry.inputs, inputs), this.#context);
    this.#cache.fill(sequence, ids.length, outputs);
    TransientTensor.releaseAll(outputs);
    this.sourceTokens += ids.length;
  }

  #inputsOf(rows: readonly GivenTokens[], newTokens: number, range: StepRange, logitRows: readonly number[]) {
    const batch: BatchRow[] = new Array(range.count);
    for (const { sequence, ids, promptLength } of rows) {
      batch[this.#cache.slotOf(sequence) - range.first] = {
        ids,
        start: this.#cache.length(sequence),
        promptLength,
      };
    }
    // If no logits are requested but the steps that compute them run anyway, they compute one row, which is dropped:
    // without rows, the head would be a product of size 0, which not every operator accepts.
    const asked = logitRows.length > 0 ? logitRows : [0];
    const inputs = this.#cache.inputs(range);
    this.#inputs.add(inputs, { rows: batch, newTokens, logitRows: asked });
    return inputs;
  }

  /** By row of the request: the rows of the flattened `[batch · sequence]` whose logits it requests. */
  #wantedRows(rows: readonly GivenTokens[], newTokens: number, range: StepRange): number[][] {
    return Array.from(rows, ({ sequence, want }) => {
      const first = (this.#cache.slotOf(sequence) - range.first) * newTokens;
      if (want === "nothing") return [];
      if (want === "token") return [first + newTokens - 1];
      return Array.from({ length: newTokens }, (_, token) => first + token);
    });
  }

  /** @param local this rank's logits by row of the request */
  #results(rows: readonly GivenTokens[], local: readonly Float32Array[][]): StepRowResult[] {
    const { communicator } = this.#context;
    const whole = rows.flatMap(({ want }, at) => (want === "logits" ? local[at]! : []));
    const gathered = whole.length === 0 ? new Float32Array(0) : this.#logits.gather(whole, communicator);

    const sampled = rows.flatMap(({ sequence, want, sampling }, at) => {
      if (want !== "token") return [];
      if (sampling === undefined) {
        throw new RingrankError(
          "RR_OPTION",
          `expected sampling parameters for sequence ${sequence}, got none`,
        );
      }
      const { tokens, seen } = this.#history.had(sequence);
      return [{ logits: local[at]![0]!, sampling, tokens, seen, position: this.#cache.length(sequence) }];
    });
    const choices: TokenChoice[] =
      sampled.length === 0
        ? []
        : chooseTokens(communicator, this.#share, sampled, this.#decoder.attention?.kernels);

    const nextChoice = choices.values();
    let nextLogits = 0;
    return Array.from(rows, (row): StepRowResult => {
      const { want, ids } = row;
      if (want === "token") {
        const choice = nextChoice.next().value!;
        this.#history.choose(row, choice.token);
        return choice;
      }
      if (want === "nothing") return {};
      const start = nextLogits;
      nextLogits += ids.length * this.#logits.vocabulary;
      return { logits: gathered.slice(start, nextLogits) };
    });
  }
}
