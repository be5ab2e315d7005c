import { lineBytes, pageBytes } from "./caches";

/**
 * Brings the cache line of this address near, since it is read soon. WebAssembly has no instruction for that; a load
 * whose result nobody takes is as good, and no engine may leave it out, for it could trap.
 */
@inline
export function readAhead(address: usize): void {
  load<u32>(address);
}

/** Brings two lines of the page of this address near, from its beginning, after which prefetchers go on. */
@inline
export function beginPage(address: usize): void {
  const first = address & ~(pageBytes - 1);
  readAhead(first);
  readAhead(first + lineBytes);
}
