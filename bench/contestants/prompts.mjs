/** Tokens a context may grow by before decode turns begin again, so that all turns have nearly the same. */
export const growth = 128;

/** The same random ids for everyone. */
export function tokenIds(count, vocabulary, seed = 7) {
  let x = seed;
  return Array.from({ length: count }, () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    // The first ids of a vocabulary are often special.
    return 16 + ((x >>> 0) % (vocabulary - 16));
  });
}
