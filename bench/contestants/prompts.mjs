/**
 * The number of tokens by which a context may grow before decode turns start again, so that all turns have nearly the
 * same context.
 */
export const growth = 128;

/** The same random ids for every contestant. */
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
 * Fills keys or values with arbitrary numbers, for contestants whose cache can be set: the time to read them does not
 * depend on their contents, and computing those of 2048 tokens takes half a minute.
 */
export function fillStates(data) {
  for (let i = 0; i < data.length; i++) data[i] = ((i * 7919) % 2003) / 2003 - 0.5;
}
