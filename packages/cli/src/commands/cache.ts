import { clearShardCache, listShardCache } from "@ringrank/coordinator";
import { formatBytes } from "@ringrank/policy/decision";
import { cacheTable, totalBytes } from "../output/cache-table.js";
import { print } from "../output/print.js";
import { withBoldHeader } from "../output/style.js";

/** `ringrank cache ls`: lists the cache on standard output. */
export async function listCache(): Promise<void> {
  const entries = listShardCache();
  const table = entries.length === 0 ? "the cache is empty" : cacheTable(entries, new Date());
  await print(`${withBoldHeader(process.stdout, table)}\n`);
}

/** `ringrank cache clear`. */
export async function clearCache(): Promise<void> {
  const removed = clearShardCache();
  await print(`removed ${removed.length} entries, ${formatBytes(totalBytes(removed))}\n`);
}
