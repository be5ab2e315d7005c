import { RingrankError } from "@ringrank/errors";
import type {
  LoadReport,
  RunRequest,
  RunResult,
  StepRequest,
  StepResult,
  StepRowResult,
} from "@ringrank/rank-worker";
import type { RankGroup } from "../group/rank-group.js";

/** The fake model's vocabulary; it continues every sequence by counting up, modulo this. */
const fakeVocabulary = 100;

/**
 * A rank group without threads: the next token is the last one plus one. It records every request, can be held
 * between two steps, and can be made to fail.
 */
export class FakeRankGroup implements RankGroup {
  readonly worldSize = 1;
  readonly reports: readonly LoadReport[] = [{ bytesKept: 0, bytesRead: 0, sessions: 0 }];
  readonly requests: StepRequest[] = [];
  readonly runs: RunRequest[] = [];
  /** Tokens of every sequence that has a cache. */
  readonly caches = new Map<number, number[]>();
  /** Sources of every sequence that has one encoded. */
  readonly sources = new Map<number, readonly number[]>();
  failure: RingrankError | undefined;
  /** Awaited before each step is answered. */
  beforeAnswer: (request: StepRequest) => Promise<void> | void = () => {};
  beforeRunAnswer: () => Promise<void> | void = () => {};
  readonly #listeners: ((cause: RingrankError) => void)[] = [];
  #running = 0;
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
    await this.#alone(() => this.beforeAnswer(request));
    for (const id of request.close) {
      this.caches.delete(id);
      this.sources.delete(id);
    }
    for (const { sequence, ids } of request.encode ?? []) {
      this.sources.set(sequence, ids);
      this.#sourceTokens += ids.length;
    }
    if (new Set(request.rows.map((row) => row.ids.length)).size > 1) throw new Error("rows differ in length");
    const rows = request.rows.map((row): StepRowResult => {
      const cache = this.caches.get(row.sequence) ?? [];
      this.caches.set(row.sequence, cache);
      cache.push(...row.ids);
      this.#tokens += row.ids.length;
      if (row.want === "nothing") return {};
      if (row.want === "logits") return { logits: Float32Array.from(row.ids.flatMap((id) => [id, -id])) };
      return { token: (row.ids.at(-1)! + 1) % fakeVocabulary, logprob: -0.5 };
    });
    const steps = this.requests.length;
    const counts = { steps, tokens: this.#tokens, sourceTokens: this.#sourceTokens, experts: 0 };
    return { rows, counters: { ...counts, collectives: 0, collectiveBytes: 0 } };
  }

  async run(request: RunRequest): Promise<RunResult> {
    this.runs.push(request);
    await this.#alone(() => this.beforeRunAnswer());
    return { outputs: {} };
  }

  async close(): Promise<void> {}

  async #alone(wait: () => Promise<void> | void): Promise<void> {
    if (++this.#running > 1) throw new Error("two calls at once");
    try {
      await wait();
      if (this.failure !== undefined) throw this.failure;
    } finally {
      this.#running--;
    }
  }
}

/** A promise and the function that resolves it, for handshakes. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
