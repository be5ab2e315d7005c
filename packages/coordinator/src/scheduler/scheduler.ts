import { setImmediate } from "node:timers/promises";
import type { RunRequest, RunResult, StepCounters, StepRowResult, StepSource } from "@ringrank/rank-worker";
import { modelFailed, type RankGroup } from "../group/rank-group.js";
import type { Piece, ScheduledSequence } from "./scheduled-sequence.js";

export interface SchedulerOptions {
  /**
   * Most tokens of a prompt in one step. More makes a prompt quicker (products with more rows run nearer the
   * machine's speed, up to about this many), less makes others wait less.
   */
  readonly prefillChunk?: number;
  /** Most sequences in one decode step; the others take turns. */
  readonly maxRows?: number;
}

interface QueuedRun {
  readonly request: RunRequest;
  readonly resolve: (result: RunResult) => void;
  readonly reject: (reason: unknown) => void;
}

interface Row {
  readonly sequence: ScheduledSequence;
  readonly piece: Piece;
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
 * Kinds of work that have something to do take turns, so none starves another. Between steps, and only there,
 * sequences enter, leave and are cancelled: within a step all ranks do the same.
 */
export class Scheduler {
  readonly #group: RankGroup;
  readonly #prefillChunk: number;
  readonly #maxRows: number;
  /** In the order in which they are served. */
  readonly #sequences = new Set<ScheduledSequence>();
  /** Sequences that have a cache on the ranks. */
  readonly #cached = new Set<ScheduledSequence>();
  /** Ended sequences whose cache the ranks still keep. */
  readonly #toClose: number[] = [];
  readonly #runs: QueuedRun[] = [];
  #lastTurn: Turn = "run";
  #loop: Promise<void> | undefined;
  #end: { readonly error: unknown } | undefined;
  #counters: StepCounters = {
    steps: 0,
    tokens: 0,
    sourceTokens: 0,
    experts: 0,
    collectives: 0,
    collectiveBytes: 0,
  };

  constructor(group: RankGroup, { prefillChunk = 128, maxRows = 32 }: SchedulerOptions = {}) {
    this.#group = group;
    this.#prefillChunk = prefillChunk;
    this.#maxRows = maxRows;
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
  run(request: RunRequest, signal: AbortSignal | undefined): Promise<RunResult> {
    return new Promise((resolve, reject) => {
      if (this.#end !== undefined) throw this.#end.error;
      signal?.throwIfAborted();
      const abort = (): void => queued.reject(signal?.reason);
      const settled = (): void => signal?.removeEventListener("abort", abort);
      const queued: QueuedRun = {
        request,
        resolve: (result) => {
          settled();
          resolve(result);
        },
        reject: (reason) => {
          settled();
          const at = this.#runs.indexOf(queued);
          if (at >= 0) this.#runs.splice(at, 1);
          reject(reason);
        },
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.#runs.push(queued);
      this.wake();
    });
  }

  /** To be called when a sequence has something to compute, or has ended. */
  wake(): void {
    this.#loop ??= this.#work();
  }

  /** Ends all work with `error`, at once; what comes later gets `later`. Resolves when no step is running. */
  async end(error: unknown, later: unknown = error): Promise<void> {
    this.#end ??= { error: later };
    for (const sequence of this.#sequences) sequence.fail(error);
    for (const run of [...this.#runs]) run.reject(error);
    this.#sequences.clear();
    await this.#loop;
  }

  async #work(): Promise<void> {
    // Whoever woke us may have more to add in the same turn, which then shares the first step.
    await setImmediate();
    for (let job = this.#nextJob(); job !== undefined; job = this.#nextJob()) {
      await job();
      // Readers take their tokens, and aborts arrive, before the next step is put together.
      await setImmediate();
    }
    this.#loop = undefined;
  }

  #nextJob(): (() => Promise<void>) | undefined {
    if (this.#end !== undefined) return undefined;
    this.#dropEnded();
    const ready = this.#readyRows();
    const after = turns.indexOf(this.#lastTurn) + 1;
    for (const turn of [...turns.slice(after), ...turns.slice(0, after)]) {
      const job = this.#jobOf(turn, ready);
      if (job === undefined) continue;
      this.#lastTurn = turn;
      return job;
    }
    return this.#toClose.length > 0 ? () => this.#step([]) : undefined;
  }

  #jobOf(turn: Turn, ready: readonly Row[]): (() => Promise<void>) | undefined {
    if (turn === "run") {
      const run = this.#runs.shift();
      return run && (() => this.#runWhole(run));
    }
    const rows =
      turn === "decode"
        ? ready.filter((row) => !this.#isPrefill(row)).slice(0, this.#maxRows)
        : ready.filter((row) => this.#isPrefill(row)).slice(0, 1);
    return rows.length === 0 ? undefined : () => this.#step(rows);
  }

  #isPrefill({ sequence, piece }: Row): boolean {
    return piece.ids.length > 1 || this.#sourceOf(sequence) !== undefined;
  }

  /** What an encoder has to read for a sequence that has no cache yet. */
  #sourceOf(sequence: ScheduledSequence): StepSource | undefined {
    const { id, source } = sequence;
    return source === undefined || this.#cached.has(sequence) ? undefined : { sequence: id, ids: source };
  }

  #dropEnded(): void {
    for (const sequence of this.#sequences) {
      if (!sequence.ended) continue;
      this.#sequences.delete(sequence);
      if (this.#cached.delete(sequence)) this.#toClose.push(sequence.id);
    }
  }

  #readyRows(): Row[] {
    return [...this.#sequences].flatMap((sequence) => {
      const piece = sequence.next(this.#prefillChunk);
      return piece === undefined ? [] : [{ sequence, piece }];
    });
  }

  async #step(rows: readonly Row[]): Promise<void> {
    const encode = rows.flatMap(({ sequence }) => this.#sourceOf(sequence) ?? []);
    for (const { sequence } of rows) this.#cached.add(sequence);
    try {
      const result = await this.#group.step({
        close: this.#toClose.splice(0),
        ...(encode.length > 0 && { encode }),
        rows: rows.map(({ sequence, piece }) => ({ sequence: sequence.id, ...piece })),
      });
      this.#counters = result.counters;
      await Promise.all(rows.map((row, i) => accept(row, result.rows[i] ?? {})));
    } catch (error) {
      for (const { sequence } of rows) sequence.fail(error);
    }
    this.#moveToEnd(rows);
  }

  /** Who was served lets others go first; a prompt keeps its place until it is through. */
  #moveToEnd(rows: readonly Row[]): void {
    for (const { sequence, piece } of rows) {
      if (piece.want === "nothing" || !this.#sequences.delete(sequence)) continue;
      this.#sequences.add(sequence);
    }
  }

  async #runWhole({ request, resolve, reject }: QueuedRun): Promise<void> {
    try {
      resolve(await this.#group.run(request));
    } catch (error) {
      reject(error);
    }
  }
}

/** What goes wrong in taking one row's result, as in making text of it, ends that sequence alone. */
async function accept({ sequence, piece }: Row, result: StepRowResult): Promise<void> {
  try {
    await sequence.accept(piece, result);
  } catch (error) {
    sequence.fail(error);
  }
}
