import type { GenerationResult } from "@ringrank/coordinator";
import { formatBytes } from "@ringrank/policy/decision";

/** Records the times of a generation's tokens. */
export class Stopwatch {
  readonly #start = performance.now();
  #first: number | undefined;
  #last = this.#start;
  #tokens = 0;

  token(): void {
    this.#last = performance.now();
    this.#first ??= this.#last;
    this.#tokens++;
  }

  /** Milliseconds from the call to the first token: tokenizing, prefill, one choice. Undefined without a token. */
  get timeToFirstToken(): number | undefined {
    return this.#first === undefined ? undefined : this.#first - this.#start;
  }

  /** Decode rate: tokens after the first, over the time since the first. Undefined below two tokens. */
  get tokensPerSecond(): number | undefined {
    if (this.#first === undefined || this.#tokens < 2) return undefined;
    return (1000 * (this.#tokens - 1)) / (this.#last - this.#first);
  }
}

/** The cost of a generation, as lines to print. */
export function figures(
  stopwatch: Stopwatch,
  { usage, finishReason }: Pick<GenerationResult, "usage" | "finishReason">,
  bytesPerRank: readonly number[],
): string {
  const { timeToFirstToken, tokensPerSecond } = stopwatch;
  const rows = [
    ["tokens", `${usage.completionTokens} after a prompt of ${usage.promptTokens} (end: ${finishReason})`],
    [
      "time to first token",
      timeToFirstToken === undefined ? "none came" : `${timeToFirstToken.toFixed(1)} ms`,
    ],
    ["tokens per second", tokensPerSecond === undefined ? "too few to tell" : tokensPerSecond.toFixed(1)],
    [
      "bytes each rank holds",
      bytesPerRank.map((bytes, rank) => `rank ${rank} ${formatBytes(bytes)}`).join(", "),
    ],
  ] as const;
  return rows.map(([name, value]) => `${name.padEnd(22)} ${value}`).join("\n");
}
