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
  const rows = [
    ["tokens", `${usage.completionTokens} after a prompt of ${usage.promptTokens} (end: ${finishReason})`],
    ["time to first token", latency(stopwatch)],
    ["tokens per second", rate(stopwatch)],
    [
      "bytes each rank holds",
      bytesPerRank.map((bytes, rank) => `rank ${rank} ${formatBytes(bytes)}`).join(", "),
    ],
  ] as const;
  return rows.map(([name, value]) => `${name.padEnd(22)} ${value}`).join("\n");
}

/** The cost of one answer in a conversation, as a line to print. */
export function turnFigures(stopwatch: Stopwatch, { usage }: Pick<GenerationResult, "usage">): string {
  const { promptTokens, cachedTokens, completionTokens } = usage;
  const prompt = `${completionTokens} tokens after a prompt of ${promptTokens}, of which ${cachedTokens} were cached`;
  return `[${prompt}; first token: ${latency(stopwatch)}; tokens per second: ${rate(stopwatch)}]`;
}

function latency({ timeToFirstToken }: Stopwatch): string {
  return timeToFirstToken === undefined ? "none came" : `${timeToFirstToken.toFixed(1)} ms`;
}

function rate({ tokensPerSecond }: Stopwatch): string {
  return tokensPerSecond === undefined ? "too few to tell" : tokensPerSecond.toFixed(1);
}
