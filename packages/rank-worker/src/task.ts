import type { MessagePort } from "node:worker_threads";
import type { GroupHandle } from "@ringrank/collectives";

/** Levels of pino, and the one that writes nothing. */
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";

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
  /** Default: `RINGRANK_LOG`, or silent. */
  readonly logLevel?: LogLevel | undefined;
  /** A file that begins with `[`, to which the rank adds its trace when it ends. Default: it keeps none. */
  readonly trace?: string | undefined;
}
