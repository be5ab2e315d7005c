// The units of prefetching.

/** Bytes of a cache line, which are fetched together. */
export const lineBytes: usize = 64;

/** Floats, or 32-bit integers, in a cache line. */
export const lineFloats: usize = 16;

/** Bytes of a page, within which processors prefetch: a stream waits where it enters another page. */
export const pageBytes: usize = 4096;
