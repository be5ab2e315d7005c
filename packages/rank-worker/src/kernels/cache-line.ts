/** Bytes of a cache line. Everything that kernels work on is aligned to one. */
export const lineBytes = 64;

/** Rounds a number of bytes up to whole cache lines. */
export function wholeLines(bytes: number): number {
  return Math.ceil(bytes / lineBytes) * lineBytes;
}
