import { type CacheEntry, clearCache, defaultCacheDirectory, listCache } from "@ringrank/rank-worker";
import { pathOption } from "../options/check.js";

/**
 * Lists the cache of quantized weights, with an entry for each rank of each such model, and one for its plan.
 *
 * @param directory default: `RINGRANK_CACHE`, else `ringrank` in the user's cache directory
 * @throws RR_OPTION; RR_CACHE if it is not a directory that only this user can access
 */
export function listShardCache(directory: string = defaultCacheDirectory()): CacheEntry[] {
  return listCache(pathOption("directory", directory));
}

/**
 * Empties the cache of quantized weights. Loaded models are not affected; the next load quantizes again.
 *
 * @param directory as in {@link listShardCache}
 * @returns the entries that were removed
 * @throws RR_OPTION; RR_CACHE if it is not a directory that only this user can access
 */
export function clearShardCache(directory: string = defaultCacheDirectory()): CacheEntry[] {
  return clearCache(pathOption("directory", directory));
}
