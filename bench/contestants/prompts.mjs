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

/**
 * Keys or values that nobody computed, where a cache can be given: what reading them costs does not depend on what they
 * are, and to compute those of 2048 tokens takes half a minute.
 */
export function fillStates(data) {
  for (let i = 0; i < data.length; i++) data[i] = ((i * 7919) % 2003) / 2003 - 0.5;
}
