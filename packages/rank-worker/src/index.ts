export { installErrorTransferHandler } from "./error-transfer.js";
export { Lifecycle, NativeGate } from "./lifecycle.js";
export * from "./protocol.js";
export type { LogLevel, RankWorkerTask, TraceFile } from "./task.js";
export { ScratchFolder, scratchBytes } from "./weight-files/scratch-folder.js";
