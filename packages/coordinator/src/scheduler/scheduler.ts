import type { RunRequest, RunResult, StepCounters, StepRowResult } from "@ringrank/rank-worker";
import type { RankGroup } from "../group/rank-group.js";
import { modelFailed } from "../model-ended.js";
import type { CachedPrefix, PrefixCache } from "./prefix-cache.js";
import { RankCaches } from "./rank-caches.js";
import { type QueuedRun, RunQueue } from "./run-queue.js";
import type { Piece, ScheduledSequence } from "./scheduled-sequence.js";

export interface SchedulerOptions {
  /**
   * The most tokens of a prompt in one step. More tokens make a prompt faster (up to about this many, products with
   * more rows run closer to the machine's speed); fewer make other sequences wait less.
   */
  readonly prefillChunk?: number;
  /** The most sequences in one decode step. If there are more, they take turns. */
  readonly maxRows?: number;
  /** Which ended sequences are kept. Default: none. */
  readonly prefixCache?: PrefixCache | undefined;
}

interface Row {
  readonly sequence: ScheduledSequence;
  readonly piece: Piece;
  /** What the piece follows, if it is the sequence's first one. */
  readonly prefix: CachedPrefix | undefined;
}

/** A call to the ranks that is about to be made. */
interface Job {
  /** Empty for a run. */
  readonly rows: readonly Row[];
  start(): Promise<void>;
}

interface UnderWay {
  readonly rows: readonly Row[];
  /** Never rejects. */
  readonly done: Promise<void>;
}

type Turn = "decode" | "prefill" | "run";
const turns: readonly Turn[] = ["decode", "prefill", "run"];

/**
 * Continuous batching (Orca, OSDI 2022): decides, step by step, which sequences advance together.
 *
 * ```
 *   decode          prefill            run             decode   …
 * ┌────────────┐ ┌──────────────┐ ┌──────────────┐ ┌────────────┐
 * │ 1 token of │ │ a chunk of 1 │ │ one whole    │ │ 1 token of │
 * │ each ready │ │ prompt, or a │ │ `run`        │ │ each ready │
 * │            │ │ whole source │ │              │ │            │
 * └────────────┘ └──────────────┘ └──────────────┘ └────────────┘
 * ```
 *
 * Kinds of work that are pending take turns, so none starves another. Sequences only enter, leave or are cancelled
 * between steps, because all ranks must do the same within a step.
 *
 * **A step ahead.** The ranks know the token they have just chosen, so a decode step is sent while the previous one is
 * still running. The ranks then go from one step to the next without waiting for the token to be turned into text,
 * read, and the next one requested. This is only done if it leaves no sequence behind: every sequence of the step in
 * progress must either have a token in the next step, or be complete. Otherwise, a sequence whose reader is not back
 * yet would miss a step that it could have shared a moment later, and two halves of a batch would alternate at half the
 * speed.
 */
export class Scheduler {
  readonly #group: RankGroup;
  readonly #prefillChunk: number;
  readonly #maxRows: number;
  readonly #caches: RankCaches;
  /** In the order in which they are served. */
  readonly #sequences = new Set<ScheduledSequence>();
  readonly #runs = new RunQueue();
  #lastTurn: Turn = "run";
  /** In order. At most two, in which case both are steps. */
  readonly #underWay = new Set<UnderWay>();
  #isWoken = false;
  #end: { readonly error: unknown } | undefined;
  #counters: StepCounters = {
    steps: 0,
    milliseconds: 0,
    tokens: 0,
    sourceTokens: 0,
    experts: 0,
    collectives: 0,
    collectiveBytes: 0,
  };

  constructor(group: RankGroup, { prefillChunk = 512, maxRows = 32, prefixCache }: SchedulerOptions = {}) {
    this.#group = group;
    this.#prefillChunk = prefillChunk;
    this.#maxRows = maxRows;
    this.#caches = new RankCaches(prefixCache);
    group.onFailure((cause) => void this.end(cause, modelFailed(cause)));
  }

  /** As of the last step. */
  get counters(): StepCounters {
    return this.#counters;
  }

  add(sequence: ScheduledSequence): void {
    if (this.#end !== undefined) {
      sequence.fail(this.#end.error);
      return;
    }
    this.#sequences.add(sequence);
    this.wake();
  }

  /** Runs a whole graph between steps. Rejects with the signal's reason as soon as it is aborted. */
  async run(request: RunRequest, signal: AbortSignal | undefined): Promise<RunResult> {
    if (this.#end !== undefined) throw this.#end.error;
    signal?.throwIfAborted();
    const result = this.#runs.add(request, signal);
    this.wake();
    return result;
  }

  /** Must be called when a sequence has something to compute, or has ended. */
  wake(): void {
    if (this.#isWoken) return;
    this.#isWoken = true;
    // The caller may have more to add in the same turn, which then shares the step, and readers take their tokens.
    setImmediate(() => {
      this.#isWoken = false;
      this.#send();
    });
  }

  /** Ends all work with `error` at once; later calls fail with `later`. Resolves when no call is in progress. */
  async end(error: unknown, later: unknown = error): Promise<void> {
    this.#end ??= { error: later };
    for (const sequence of this.#sequences) sequence.fail(error, later);
    this.#runs.rejectAll(error);
    this.#sequences.clear();
    await Promise.all([...this.#underWay].map(({ done }) => done));
  }

  #send(): void {
    for (let job = this.#nextJob(); job !== undefined; job = this.#nextJob()) {
      const { rows, start } = job;
      const underWay: UnderWay = { rows, done: start().finally(() => this.#done(underWay)) };
      this.#underWay.add(underWay);
    }
  }

  #done(job: UnderWay): void {
    this.#underWay.delete(job);
    this.wake();
  }

  #nextJob(): Job | undefined {
    if (this.#end !== undefined) return undefined;
    this.#dropEnded();
    const ready = this.#readyRows();
    const after = turns.indexOf(this.#lastTurn) + 1;
    for (let i = 0; i < turns.length; i++) {
      const turn = turns[(after + i) % turns.length]!;
      const job = this.#jobOf(turn, ready);
      if (job === undefined) continue;
      if (this.#underWay.size > 0 && !(turn === "decode" && this.#leavesNobodyBehind(job.rows)))
        return undefined;
      this.#lastTurn = turn;
      return job;
    }
    return this.#caches.hasChanges && this.#underWay.size === 0 ? this.#stepJob([]) : undefined;
  }

  /** Whether these rows may be sent a step ahead. */
  #leavesNobodyBehind(rows: readonly Row[]): boolean {
    const [only, ...others] = this.#underWay;
    if (only === undefined || others.length > 0 || only.rows.length === 0) return false;
    const included = new Set(rows.map(({ sequence }) => sequence));
    return only.rows.every(({ sequence }) => included.has(sequence) || sequence.ended || sequence.isComplete);
  }

  #jobOf(turn: Turn, ready: readonly Row[]): Job | undefined {
    if (turn === "run") {
      const run = this.#runs.first;
      return run && { rows: [], start: () => this.#runWhole(run) };
    }
    const rows =
      turn === "decode"
        ? ready.filter((row) => !this.#isPrefill(row)).slice(0, this.#maxRows)
        : ready.filter((row) => this.#isPrefill(row)).slice(0, 1);
    return rows.length === 0 ? undefined : this.#stepJob(rows);
  }

  #isPrefill({ sequence, piece }: Row): boolean {
    return (piece.want !== "next" && piece.ids.length > 1) || this.#caches.sourceOf(sequence) !== undefined;
  }

  #dropEnded(): void {
    for (const sequence of this.#sequences) {
      if (!sequence.ended) continue;
      this.#sequences.delete(sequence);
      this.#caches.leave(sequence);
    }
    this.#caches.settle((sequence) => this.#isUnderWay(sequence));
  }

  #isUnderWay(sequence: ScheduledSequence): boolean {
    return [...this.#underWay].some(({ rows }) => rows.some((row) => row.sequence === sequence));
  }

  #readyRows(): Row[] {
    return [...this.#sequences].flatMap((sequence) => {
      const prefix = this.#caches.prefixOf(sequence);
      const piece = sequence.next(this.#prefillChunk, prefix?.tokens ?? 0);
      return piece === undefined ? [] : [{ sequence, piece, prefix }];
    });
  }

  #stepJob(rows: readonly Row[]): Job {
    return { rows, start: () => this.#step(rows) };
  }

  async #step(rows: readonly Row[]): Promise<void> {
    const changes = this.#caches.changesFor(rows);
    for (const { sequence, piece, prefix } of rows) sequence.sent(piece, prefix?.tokens ?? 0);
    this.#moveToEnd(rows);
    try {
      const result = await this.#group.step({
        ...changes,
        rows: rows.map(({ sequence, piece }) => ({ sequence: sequence.id, ...piece })),
      });
      this.#counters = result.counters;
      for (const [at, row] of rows.entries()) accept(row, result.rows[at] ?? {});
    } catch (error) {
      for (const { sequence } of rows) sequence.fail(error);
    }
  }

  /**
   * A sequence that was served lets others go first. A prompt whose steps are not shared keeps its place until it is
   * complete.
   */
  #moveToEnd(rows: readonly Row[]): void {
    for (const { sequence, piece } of rows) {
      if (piece.want === "nothing" && piece.ids.length > 1) continue;
      this.#sequences.delete(sequence);
      this.#sequences.add(sequence);
    }
  }

  async #runWhole(run: QueuedRun): Promise<void> {
    this.#runs.takeOut(run);
    try {
      run.resolve(await this.#group.run(run.request));
    } catch (error) {
      run.reject(error);
    }
  }
}

/** An error in handling one row's result, such as in detokenizing it, only ends that sequence. */
function accept({ sequence, piece }: Row, result: StepRowResult): void {
  try {
    sequence.accept(piece, result);
  } catch (error) {
    sequence.fail(error);
  }
}
