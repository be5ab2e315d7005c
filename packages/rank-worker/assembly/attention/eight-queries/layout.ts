// Attention of eight queries to rows of one head of keys and values. A vector holds two neighbouring lanes of two
// queries, so two numbers of a key or value are loaded once for all eight:
//
//   packed   [pair of lanes][4 vectors]   queries 0 and 1, 4 and 5, 2 and 3, 6 and 7
//   scores   [stream][row][query]         then shares
//   sums     [pair of lanes][4 vectors]   like queries
//
// In this order, the first and the last four queries are alike, and V8 computes both as one, on 256 bits
// (docs/design/wide-vectors.md). With one lane in a vector, each number of a key or value would be a load of its own for
// a single product of 256 bits, and processors load no more often than they multiply.

/**
 * Past keys and values are read in as many streams, from as many parts of the cache, a row of each in turn and each row
 * from beginning to end: so processors prefetch them. With one stream they would wait for memory at each new page.
 */
export const streams: usize = 4;

/** Rows of each stream in a tile, whose scores stay in the L1 cache: with 64 lanes, a page of keys and one of values. */
export const streamRows: usize = 16;

/** Where a query's two lanes are among the 64 bytes of a pair of lanes. */
@inline
export function placeOf(query: usize): usize {
  return ((query & 2) << 4) | ((query & 4) << 2) | ((query & 1) << 3);
}

/** Numbers of the first two of four queries, each for both of its lanes. */
@inline
export function firstTwice(a: v128): v128 {
  return v128.shuffle<f32>(a, a, 0, 0, 1, 1);
}

/** Those of the last two. */
@inline
export function lastTwice(a: v128): v128 {
  return v128.shuffle<f32>(a, a, 2, 2, 3, 3);
}
