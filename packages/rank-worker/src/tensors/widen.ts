/**
 * Writes the floats that numbers of bfloat16 stand for: a bfloat16 is the upper half of a float32. The kernel
 * `widenRows` in assembly/products/floats/space-rows.ts does the same.
 */
export function widen(from: Uint16Array, to: Float32Array): void {
  const bits = new Uint32Array(to.buffer, to.byteOffset, to.length);
  for (let i = 0; i < from.length; i++) bits[i] = from[i]! << 16;
}
