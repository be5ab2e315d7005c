import type { MessagePort } from "node:worker_threads";
import type { GroupHandle } from "@ringrank/collectives";

/** Levels of pino, and the one that writes nothing. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

/** What a rank's thread is started with. */
export interface RankWorkerTask {
  readonly rank: number;
  readonly group: GroupHandle;
  /** The control plane: a `RankService` is exposed here. Must be transferred. */
  readonly port: MessagePort;
  /** Where steps come from and go to. Must be transferred. */
  readonly steps: MessagePort;
  /** `Lifecycle.buffer`. */
  readonly lifecycle: SharedArrayBuffer;
  /** Whether the memory that kernels compute in is to lie in huge pages. Default false. */
  readonly hugePages?: boolean | undefined;
  /** Default: `RINGRANK_LOG`, or silent. */
  readonly logLevel?: LogLevel | undefined;
  /** Where the rank adds its trace, thousands of spans at a time and the rest when it ends. Default: it keeps none. */
  readonly trace?: TraceFile | undefined;
}

/** A trace that all ranks of a group add to. */
export interface TraceFile {
  /** Of a file that begins with `[`. */
  readonly path: string;
  /** Milliseconds since 1970 at which the trace begins; clocks of threads begin with the thread. */
  readonly origin: number;
}
