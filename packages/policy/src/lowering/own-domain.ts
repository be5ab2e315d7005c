/** The domain of operators that stand for parts of others while a graph is planned. No rank ever runs one. */
export const ownDomain = "ringrank";

/** The operator that makes a value whole, by a collective where it is sharded. */
export function isGather({ opType, domain }: { readonly opType: string; readonly domain: string }): boolean {
  return domain === ownDomain && opType === "Whole";
}
