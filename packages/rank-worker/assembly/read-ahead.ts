import { lineBytes, pageBytes } from "./caches";

/**
 * Prefetches the cache line of this address. WebAssembly has no instruction for that. A load whose result is unused
 * does the same, and no engine may leave it out, since it could trap.
 */
@inline
export function readAhead(address: usize): void {
  load<u32>(address);
}

/** Prefetches the first two lines of the page of this address, from which on the processor prefetches by itself. */
@inline
export function beginPage(address: usize): void {
  const first = address & ~(pageBytes - 1);
  readAhead(first);
  readAhead(first + lineBytes);
}
