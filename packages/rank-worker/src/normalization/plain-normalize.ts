/**
 * Normalizes rows as long as `scale`, with exactly the bits of assembly/normalize.ts: in float32, with every sum in the
 * kernel's order. A rank without the kernel must not differ in a replicated value from a rank with it.
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
    const mean = centered ? f32(sum(width, (i) => x[start + i]!) / width) : 0;
    const fromMean = (i: number): number => f32(x[start + i]! - mean);
    const square = (i: number): number => f32(fromMean(i) * fromMean(i));
    const variance = f32(sum(width, square) / width);
    const factor = f32(1 / f32(Math.sqrt(f32(variance + f32(epsilon)))));
    for (let i = 0; i < width; i++) {
      const scaled = f32(f32(fromMean(i) * factor) * scale[i]!);
      out[start + i] = bias === undefined ? scaled : scaled + bias[i]!;
    }
  }
}

/** One operation on float32 numbers in double precision, followed by rounding, gives the bits of float32 arithmetic. */
const f32 = Math.fround;

/**
 * Adds in the order of the kernel's vectors: eight parallel sums, whose halves are added, then those four in pairs,
 * then the rest.
 */
function sum(count: number, term: (index: number) => number): number {
  const lanes = new Float32Array(8);
  const whole = count - (count % 8);
  for (let i = 0; i < whole; i++) lanes[i % 8]! += term(i);
  const lane = (i: number): number => f32(lanes[i]! + lanes[i + 4]!);
  let total = f32(f32(lane(0) + lane(1)) + f32(lane(2) + lane(3)));
  for (let i = whole; i < count; i++) total = f32(total + term(i));
  return total;
}
