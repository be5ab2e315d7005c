// The units in which processors read memory.

/** Bytes of a cache line, which are read together. */
export const lineBytes: usize = 64;

/** Floats, or 32-bit integers, in a cache line. */
export const lineFloats: usize = 16;

/** Bytes of a page. Processors prefetch up to its end, so whoever reads on waits at the beginning of the next one. */
export const pageBytes: usize = 4096;
