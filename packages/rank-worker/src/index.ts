export { Lifecycle, NativeGate } from "./lifecycle.js";
export { ownProducts } from "./products/own-products.js";
export * from "./protocol.js";
export { defaultCacheDirectory } from "./shard-cache/cache-directory.js";
export { entryKey } from "./shard-cache/entry-key.js";
export { type CacheEntry, clearCache, listCache, readPlan, ShardCache } from "./shard-cache/shard-cache.js";
export { type LogLevel, logLevels, type RankWorkerTask, type TraceFile } from "./task.js";
export { matrixBytes } from "./weight-files/kept-weights.js";
export { ScratchFolder, scratchBytes } from "./weight-files/scratch-folder.js";
