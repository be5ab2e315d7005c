// What memory is brought near by.

/** Bytes of a line of the caches, which come near together. */
export const lineBytes: usize = 64;

/** Floats, or whole numbers of 32 bits, of a line. */
export const lineFloats: usize = 16;

/** Bytes within which processors read ahead: a stream waits where it enters another page. */
export const pageBytes: usize = 4096;
