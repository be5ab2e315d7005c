/** Bytes of a line of the caches. What kernels work on begins with one. */
export const lineBytes = 64;

/** So many bytes, filled up to whole lines. */
export function wholeLines(bytes: number): number {
  return Math.ceil(bytes / lineBytes) * lineBytes;
}
