import type { PartitionPolicy } from "@ringrank/policy";

/**
 * The bytes of a rank that has its share of every matrix, and every vector (norms and biases) whole.
 *
 * @param wholes matches names of matrices of which every rank has all
 */
export function evenShare({ weights, ranks }: PartitionPolicy, wholes = /^$/): number {
  return Object.entries(weights).reduce((bytes, [name, { dims }]) => {
    const whole = dims.reduce((count, size) => count * size, Float32Array.BYTES_PER_ELEMENT);
    return bytes + (dims.length > 1 && !wholes.test(name) ? whole / ranks : whole);
  }, 0);
}
