import { appendFileSync } from "node:fs";
import { performance } from "node:perf_hooks";

/**
 * What a rank's time goes to. Whatever of a step is none of these is the rank's own bookkeeping. Choosing a token takes
 * a collective too, which is part of it.
 */
export type Work = "session" | "attention" | "waiting" | "moving" | "cache" | "choosing";

/** Spans that are kept; what comes later is counted and not kept, so that a rank adds 50 MB at most, in less time than it is given to end. */
const mostSpans = 2 ** 18;

interface Span {
  readonly name: string;
  readonly category: string;
  /** Milliseconds, of this thread's clock. */
  readonly start: number;
  readonly duration: number;
  readonly args: Readonly<Record<string, number>> | undefined;
}

/**
 * Where a rank's time goes, step by step, in the Trace Event Format that Perfetto (https://ui.perfetto.dev) and Chrome
 * read: a process with a thread for each rank, and in each step's arguments the microseconds of every kind of work.
 *
 * @see https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
 */
export class StepTrace {
  readonly #rank: number;
  readonly #spans: Span[] = [];
  #dropped = 0;
  #ofStep = nothing();

  constructor(rank: number) {
    this.#rank = rank;
  }

  /** The time to give to {@link end} or {@link endStep}. */
  begin(): number {
    return performance.now();
  }

  /** Work that began at `start` ends now. */
  end(work: Exclude<Work, "waiting" | "moving">, name: string, start: number): void {
    const duration = performance.now() - start;
    this.#ofStep[work] += duration;
    this.#keep({ name, category: work, start, duration, args: undefined });
  }

  /** A collective that began at `start` ends now; `waited` milliseconds of it went by until other ranks came. */
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

  /** A step, or a run, that began at `start` ends now. */
  endStep(name: string, start: number): void {
    const duration = performance.now() - start;
    const parts = Object.entries(this.#ofStep);
    const other = parts.reduce((left, [, time]) => left - time, duration);
    const args = [...parts, ["other", other] as const].map(([work, time]) => [`${work}_us`, round(time)]);
    this.#ofStep = nothing();
    this.#keep({ name, category: "step", start, duration, args: Object.fromEntries(args) });
  }

  /** Adds this rank's events to a file that begins with `[`; the format needs no end. */
  appendTo(path: string): void {
    const event = { pid: 1, tid: this.#rank };
    const lines = [
      { ...event, ph: "M", name: "thread_name", args: { name: `rank ${this.#rank}` } },
      ...this.#spans.map(({ name, category, start, duration, args }) => ({
        ...event,
        ph: "X",
        name,
        cat: category,
        // Clocks of threads start with the thread.
        ts: round(performance.timeOrigin + start),
        dur: round(duration),
        ...(args && { args }),
      })),
      ...(this.#dropped === 0
        ? []
        : [
            { ...event, ph: "M", name: "thread_labels", args: { labels: `${this.#dropped} spans not kept` } },
          ]),
    ];
    appendFileSync(path, lines.map((line) => `${JSON.stringify(line)},\n`).join(""));
  }

  #keep(span: Span): void {
    if (this.#spans.length < mostSpans) this.#spans.push(span);
    else this.#dropped++;
  }
}

function nothing(): Record<Work, number> {
  return { session: 0, attention: 0, waiting: 0, moving: 0, cache: 0, choosing: 0 };
}

/** Milliseconds as microseconds, to a tenth. */
function round(milliseconds: number): number {
  return Math.round(milliseconds * 10_000) / 10;
}
