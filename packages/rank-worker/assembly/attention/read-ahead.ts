/**
 * Brings the cache line of this address near, since it is read soon. WebAssembly has no instruction for that; a load
 * whose result nobody takes is as good, and no engine may leave it out, for it could trap.
 */
@inline
export function readAhead(address: usize): void {
  load<u32>(address);
}
