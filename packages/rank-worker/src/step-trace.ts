import { appendFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import type { TraceFile } from "./task.js";

/**
 * The kinds of work that a rank spends time on. The rest of a step is the rank's own bookkeeping. Choosing a token
 * includes a collective.
 */
const works = [
  "session",
  "multiplying",
  "attention",
  "adding",
  "normalizing",
  "activating",
  "interpreting",
  "waiting",
  "moving",
  "cache",
  "choosing",
] as const;
type Work = (typeof works)[number];

/** The most spans that are kept; later ones are only counted, so a rank writes about 30 MB at most. */
const mostSpans = 2 ** 18;

/**
 * Written together, between two steps: a rank that ends has little time, and a working rank should not be held up for
 * long.
 */
const spansPerWrite = 4096;

interface Span {
  readonly name: string;
  readonly category: string;
  /** In milliseconds of this thread's clock. */
  readonly start: number;
  readonly duration: number;
  readonly args: Readonly<Record<string, number>> | undefined;
}

/**
 * Records where a rank's time goes, step by step, in the Trace Event Format that Perfetto (https://ui.perfetto.dev) and
 * Chrome read: a process with one thread per rank, and in each step's arguments the microseconds of every kind of work.
 *
 * @see https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
 */
export class StepTrace {
  readonly #rank: number;
  readonly #file: TraceFile;
  #spans: Span[] = [];
  #kept = 0;
  #dropped = 0;
  #ofStep = nothing();
  #failure: unknown;

  constructor(rank: number, file: TraceFile) {
    this.#rank = rank;
    this.#file = file;
    this.#write([{ ph: "M", name: "thread_name", args: { name: `rank ${rank}` } }]);
  }

  /** The time to pass to {@link end} or {@link endStep}. */
  begin(): number {
    return performance.now();
  }

  /** Ends work that began at `start`. */
  end(work: Exclude<Work, "waiting" | "moving">, name: string, start: number): void {
    const duration = performance.now() - start;
    this.#ofStep[work] += duration;
    this.#keep({ name, category: work, start, duration, args: undefined });
  }

  /** Ends a collective that began at `start`; `waited` milliseconds of it passed before other ranks arrived. */
  endCollective(name: string, start: number, waited: number): void {
    const duration = performance.now() - start;
    const moving = duration - waited;
    this.#ofStep.waiting += waited;
    this.#ofStep.moving += moving;
    this.#keep({
      name,
      category: "collective",
      start,
      duration,
      args: { waiting_us: round(waited), moving_us: round(moving) },
    });
  }

  /**
   * Ends a step or a run that began at `start`.
   *
   * @param facts additional arguments
   */
  endStep(name: string, start: number, facts: Readonly<Record<string, number>> = {}): void {
    const duration = performance.now() - start;
    const parts = Object.entries(this.#ofStep);
    const other = parts.reduce((left, [, time]) => left - time, duration);
    const args = [...parts, ["other", other] as const].map(([work, time]) => [`${work}_us`, round(time)]);
    this.#ofStep = nothing();
    this.#keep({ name, category: "step", start, duration, args: { ...facts, ...Object.fromEntries(args) } });
    if (this.#spans.length >= spansPerWrite) this.#writeSpans();
  }

  /**
   * Writes the remaining events.
   *
   * @throws the error of this or an earlier write; a step does not fail because of it
   */
  finish(): void {
    this.#writeSpans();
    if (this.#dropped > 0) {
      this.#write([{ ph: "M", name: "thread_labels", args: { labels: `${this.#dropped} spans not kept` } }]);
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  #keep(span: Span): void {
    if (this.#kept === mostSpans) {
      this.#dropped++;
      return;
    }
    this.#kept++;
    this.#spans.push(span);
  }

  #writeSpans(): void {
    // Each thread's clock starts with the thread.
    const sinceOrigin = performance.timeOrigin - this.#file.origin;
    const events = this.#spans.map(({ name, category, start, duration, args }) => ({
      ph: "X",
      name,
      cat: category,
      ts: round(sinceOrigin + start),
      dur: round(duration),
      args,
    }));
    this.#spans = [];
    this.#write(events);
  }

  /** Appends events to the file; the format needs no end marker. */
  #write(events: readonly object[]): void {
    if (this.#failure !== undefined) return;
    const lines = events.map((event) => `${JSON.stringify({ pid: 1, tid: this.#rank, ...event })},\n`);
    try {
      appendFileSync(this.#file.path, lines.join(""));
    } catch (error) {
      this.#failure = error;
    }
  }
}

function nothing(): Record<Work, number> {
  return Object.fromEntries(works.map((work) => [work, 0])) as Record<Work, number>;
}

/** Converts milliseconds to microseconds, rounded to a tenth. */
function round(milliseconds: number): number {
  return Math.round(milliseconds * 10_000) / 10;
}
