import { type CacheEntry, clearCache, defaultCacheDirectory, listCache } from "@ringrank/rank-worker";
import { pathOption } from "./options/check.js";

/**
 * What the cache of quantized weights holds, an entry for each rank of each model loaded so.
 *
 * @param directory default: `RINGRANK_CACHE`, else `ringrank` in the user's cache directory
 * @throws RR_OPTION; RR_CACHE where it is not a directory of this user's alone
 */
export function listShardCache(directory: string = defaultCacheDirectory()): CacheEntry[] {
  return listCache(pathOption("directory", directory));
}

/**
 * Empties the cache of quantized weights. Models that are loaded go on; the next load quantizes again.
 *
 * @param directory as {@link listShardCache} takes it
 * @returns the entries that were removed
 * @throws RR_OPTION; RR_CACHE where it is not a directory of this user's alone
 */
export function clearShardCache(directory: string = defaultCacheDirectory()): CacheEntry[] {
  return clearCache(pathOption("directory", directory));
}
