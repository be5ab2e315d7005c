import type { Progress } from "@ringrank/coordinator";
import { formatBytes } from "@ringrank/policy/decision";
import { followsEscapes, type StyledStream } from "./style.js";

/** Where progress is written: a terminal, a file, a test's array. */
export interface ProgressStream extends StyledStream {
  /** Width of the terminal; 0 if unknown. */
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

const clearLine = "\r\u001b[K";

/** Shows loading as one line that is updated on a terminal, or as one line per phase elsewhere. */
export class LoadProgress {
  readonly #stream: ProgressStream;
  readonly #ranks: string;
  /** Whether a line can be updated. */
  readonly #changes: boolean;
  readonly #start = performance.now();
  /** Bytes loaded and bytes to load, by rank. */
  readonly #loads = new Map<number, readonly [loaded: number, total: number]>();

  constructor(stream: ProgressStream, ranks: number) {
    this.#stream = stream;
    this.#changes = followsEscapes(stream);
    this.#ranks = ranks === 1 ? "1 rank" : `${ranks} ranks`;
  }

  report({ phase, rank, bytesLoaded, bytesTotal }: Progress): void {
    if (phase === "plan") this.#show("planning the partition …", true);
    else if (phase === "ready") this.#showReady(bytesTotal);
    else if (rank !== undefined) this.#showLoads(rank, bytesLoaded, bytesTotal);
  }

  /** Removes an unfinished line from the terminal. */
  clear(): void {
    if (this.#changes) this.#stream.write(clearLine);
  }

  #showLoads(rank: number, bytesLoaded: number, bytesTotal: number): void {
    const isFirst = this.#loads.size === 0;
    this.#loads.set(rank, [bytesLoaded, bytesTotal]);
    const shares = [...this.#loads]
      .sort(([a], [b]) => a - b)
      .map(([id, load]) => `rank ${id} ${percent(load)}`);
    const what = this.#changes ? shares.join(", ") : `${this.#ranks} …`;
    this.#show(`loading weights: ${what}`, isFirst);
  }

  #showReady(bytes: number): void {
    const seconds = ((performance.now() - this.#start) / 1000).toFixed(2);
    this.clear();
    this.#stream.write(`loaded ${formatBytes(bytes)} on ${this.#ranks} in ${seconds} s\n`);
  }

  #show(text: string, isNewPhase: boolean): void {
    if (this.#changes) this.#stream.write(clearLine + text.slice(0, (this.#stream.columns || 80) - 1));
    else if (isNewPhase) this.#stream.write(`${text}\n`);
  }
}

function percent([loaded, total]: readonly [number, number]): string {
  return `${total === 0 ? 100 : Math.floor((100 * loaded) / total)}%`;
}
