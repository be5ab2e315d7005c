/**
 * Prefetches the cache line of this address. WebAssembly has no instruction for that. A load whose result is unused
 * does the same, and no engine may leave it out, since it could trap.
 */
@inline
export function readAhead(address: usize): void {
  load<u32>(address);
}
