/** The domain of operators that represent parts of others while a graph is planned. No rank ever runs one. */
export const ownDomain = "ringrank";

/** The operator that returns a value whole, gathering it if it is sharded. */
export function isGather({ opType, domain }: { readonly opType: string; readonly domain: string }): boolean {
  return domain === ownDomain && opType === "Whole";
}
