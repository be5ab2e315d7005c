import { type CacheEntry, clearShardCache, listShardCache } from "@ringrank/coordinator";
import { formatBytes } from "@ringrank/policy";
import { cacheTable } from "../output/cache-table.js";
import { withBoldHeader } from "../output/style.js";

/** `ringrank cache ls`: what is kept, on standard output. */
export function listCache(): void {
  const entries = listShardCache();
  const table = entries.length === 0 ? "the cache is empty" : cacheTable(entries, new Date());
  process.stdout.write(`${withBoldHeader(process.stdout, table)}\n`);
}

/** `ringrank cache clear`. */
export function clearCache(): void {
  const removed = clearShardCache();
  process.stdout.write(`removed ${removed.length} entries, ${formatBytes(totalOf(removed))}\n`);
}

function totalOf(entries: readonly CacheEntry[]): number {
  return entries.reduce((sum, { bytes }) => sum + bytes, 0);
}
