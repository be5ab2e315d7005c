/**
 * Brings the cache line of this address near, since it is read soon. WebAssembly has no instruction for that; a load
 * whose result nobody takes is as good, and no engine may leave it out, for it could trap.
 */
@inline
export function readAhead(address: usize): void {
  load<u32>(address);
}

/** Bytes that come near together. */
export const line: usize = 64;

/** Where a processor's prefetchers stop, and begin anew. */
export const page: usize = 4096;

/** Brings two lines of the page of this address near, from its beginning, after which prefetchers go on. */
@inline
export function beginPage(address: usize): void {
  const first = address & ~(page - 1);
  readAhead(first);
  readAhead(first + line);
}
