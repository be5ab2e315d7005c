/** Numbers between −1 and 1, no two adjacent ones equal. */
export function waves(count: number, seed = 1): Float32Array {
  return Float32Array.from({ length: count }, (_, index) => Math.sin(seed + 7.3 * index));
}
