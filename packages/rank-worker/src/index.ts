export { installErrorTransferHandler } from "./error-transfer.js";
export { Lifecycle, NativeGate } from "./lifecycle.js";
export { multipliesItself } from "./products/multiplies-itself.js";
export * from "./protocol.js";
export { defaultCacheDirectory } from "./shard-cache/cache-directory.js";
export { entryKey } from "./shard-cache/entry-key.js";
export { type CacheEntry, clearCache, listCache, readPlan, ShardCache } from "./shard-cache/shard-cache.js";
export type { LogLevel, RankWorkerTask, TraceFile } from "./task.js";
export { ScratchFolder, scratchBytes } from "./weight-files/scratch-folder.js";
