import type { MessagePort } from "node:worker_threads";
import type { GroupHandle } from "@ringrank/collectives";

/** The levels of pino, including the one that logs nothing. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

/** The arguments with which a rank's thread is started. */
export interface RankWorkerTask {
  readonly rank: number;
  readonly group: GroupHandle;
  /** The control plane, on which a `RankControl` is exposed. Must be transferred. */
  readonly port: MessagePort;
  /** The port for steps and their answers. Must be transferred. */
  readonly steps: MessagePort;
  /** `Lifecycle.buffer`. */
  readonly lifecycle: SharedArrayBuffer;
  /** Whether the memory that kernels compute in should use huge pages. Default false. */
  readonly hugePages?: boolean | undefined;
  /** Default: `RINGRANK_LOG`, or silent. */
  readonly logLevel?: LogLevel | undefined;
  /**
   * The file that the rank appends its trace to, thousands of spans at a time, and the rest when it ends. Default: no
   * trace.
   */
  readonly trace?: TraceFile | undefined;
}

/** A trace file that all ranks of a group append to. */
export interface TraceFile {
  /** The file starts with `[`. */
  readonly path: string;
  /** The start of the trace in milliseconds since 1970. Each thread's own clock starts with the thread. */
  readonly origin: number;
}
