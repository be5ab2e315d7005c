/**
 * Normalizes rows as long as `scale`, in double precision. What the kernel is held against, and what works without it.
 *
 * @param out may be `x`
 * @see NormalizeStep in packages/policy for the formula
 */
export function plainNormalize(
  x: Float32Array,
  out: Float32Array,
  {
    scale,
    bias,
    epsilon,
    centered,
  }: {
    readonly scale: Float32Array;
    readonly bias: Float32Array | undefined;
    readonly epsilon: number;
    readonly centered: boolean;
  },
): void {
  const width = scale.length;
  for (let start = 0; start < x.length; start += width) {
    let mean = 0;
    if (centered) for (let i = 0; i < width; i++) mean += x[start + i]! / width;
    let variance = 0;
    for (let i = 0; i < width; i++) variance += (x[start + i]! - mean) ** 2 / width;
    const factor = 1 / Math.sqrt(variance + epsilon);
    for (let i = 0; i < width; i++) {
      out[start + i] = scale[i]! * (x[start + i]! - mean) * factor + (bias?.[i] ?? 0);
    }
  }
}
