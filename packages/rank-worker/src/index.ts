export { installErrorTransferHandler } from "./error-transfer.js";
export { Lifecycle, NativeGate } from "./lifecycle.js";
export * from "./protocol.js";
export type { LogLevel, RankWorkerTask } from "./task.js";
