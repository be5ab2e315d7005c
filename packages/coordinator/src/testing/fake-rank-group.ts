import { RingrankError } from "@ringrank/errors";
import type {
  LoadReport,
  RunRequest,
  RunResult,
  StepRequest,
  StepResult,
  StepRow,
  StepRowResult,
} from "@ringrank/rank-worker";
import type { RankGroup } from "../group/rank-group.js";

/** The fake model's vocabulary; it continues every sequence by counting up, modulo this. */
const fakeVocabulary = 100;

/** Steps that may be on their way at once: one that the ranks compute and one that waits for it. */
const mostSteps = 2;

/**
 * A rank group without threads: the next token is the last one plus one. It records every request, can be held
 * between two steps, and can be made to fail.
 */
export class FakeRankGroup implements RankGroup {
  readonly worldSize = 1;
  readonly reports: readonly LoadReport[] = [{ bytesKept: 0, bytesInMemory: 0, bytesRead: 0, sessions: 0 }];
  readonly requests: StepRequest[] = [];
  readonly runs: RunRequest[] = [];
  /** Tokens of every sequence that has a cache. */
  readonly caches = new Map<number, number[]>();
  /** Tokens of every ended sequence whose cache is kept. */
  readonly kept = new Map<number, readonly number[]>();
  /** Tokens of every sequence that has or had a cache. */
  readonly everCached = new Map<number, readonly number[]>();
  /** Every restored prefix, and how many tokens the sequence has that it comes from. */
  readonly restored: { readonly tokens: number; readonly of: number }[] = [];
  /** Sources of every sequence that has one encoded. */
  readonly sources = new Map<number, readonly number[]>();
  failure: RingrankError | undefined;
  /** Awaited before each step is answered. */
  beforeAnswer: (request: StepRequest) => Promise<void> | void = () => {};
  beforeRunAnswer: () => Promise<void> | void = () => {};
  readonly #listeners: ((cause: RingrankError) => void)[] = [];
  /** Tokens that end a sequence, of every sequence that tokens are chosen for. */
  readonly #endIds = new Map<number, readonly number[]>();
  #steps = 0;
  #isRunning = false;
  #last: Promise<unknown> = Promise.resolve();
  #tokens = 0;
  #sourceTokens = 0;

  onFailure(listener: (cause: RingrankError) => void): void {
    this.#listeners.push(listener);
  }

  /** A rank dies. */
  fail(message = "rank 0 died"): RingrankError {
    const cause = new RingrankError("RR_RANK_DIED", message, { rank: 0 });
    this.failure = cause;
    for (const listener of this.#listeners) listener(cause);
    return cause;
  }

  async step(request: StepRequest): Promise<StepResult> {
    this.requests.push(request);
    if (this.#isRunning || this.#steps === mostSteps) throw new Error("too many calls at once");
    this.#steps++;
    try {
      return await this.#inTurn(async () => {
        await this.beforeAnswer(request);
        if (this.failure !== undefined) throw this.failure;
        return this.#answer(request);
      });
    } finally {
      this.#steps--;
    }
  }

  async run(request: RunRequest): Promise<RunResult> {
    this.runs.push(request);
    if (this.#isRunning || this.#steps > 0) throw new Error("too many calls at once");
    this.#isRunning = true;
    try {
      await this.beforeRunAnswer();
      if (this.failure !== undefined) throw this.failure;
      return { outputs: {} };
    } finally {
      this.#isRunning = false;
    }
  }

  /** Tokens that have entered. */
  get computed(): number {
    return this.#tokens;
  }

  async close(): Promise<void> {}

  #answer({ keep = [], close, restore = [], encode = [], rows }: StepRequest): StepResult {
    for (const id of keep) {
      this.kept.set(id, this.caches.get(id)!);
      this.caches.delete(id);
    }
    for (const id of close) {
      this.caches.delete(id);
      this.kept.delete(id);
      this.sources.delete(id);
    }
    for (const { sequence, from, tokens } of restore) {
      const other = this.kept.get(from) ?? this.caches.get(from)!;
      this.restored.push({ tokens, of: other.length });
      this.caches.set(sequence, other.slice(0, tokens));
    }
    for (const { sequence, ids } of encode) {
      this.sources.set(sequence, ids);
      this.#sourceTokens += ids.length;
    }
    if (new Set(rows.map(tokensOf)).size > 1) throw new Error("rows differ in length");
    const results = rows.map((row) => this.#advance(row));
    const steps = this.requests.length;
    const counts = { steps, tokens: this.#tokens, sourceTokens: this.#sourceTokens, experts: 0 };
    return { rows: results, counters: { ...counts, milliseconds: 0, collectives: 0, collectiveBytes: 0 } };
  }

  #advance(row: StepRow): StepRowResult {
    const cache = this.caches.get(row.sequence) ?? [];
    this.caches.set(row.sequence, cache);
    this.everCached.set(row.sequence, cache);
    if (row.want === "next") {
      const chosen = following(cache);
      if (this.#endIds.get(row.sequence)!.includes(chosen)) return {};
      cache.push(chosen);
    } else {
      cache.push(...row.ids);
      this.#endIds.set(row.sequence, row.endIds ?? []);
    }
    this.#tokens += tokensOf(row);
    if (row.want === "nothing") return {};
    if (row.want === "logits") return { logits: Float32Array.from(row.ids.flatMap((id) => [id, -id])) };
    return { token: following(cache), logprob: -0.5 };
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }
}

/** How many tokens a row enters. */
export function tokensOf(row: StepRow): number {
  return row.want === "next" ? 1 : row.ids.length;
}

function following(cache: readonly number[]): number {
  return (cache.at(-1)! + 1) % fakeVocabulary;
}

/** A promise and the function that resolves it, for handshakes. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
