/** What weights are held and computed in: fp32, or whole numbers of 8 or 4 bits in blocks that share a scale. */
export const weightPrecisions = ["float32", "int8", "int4"] as const;
export type WeightPrecision = (typeof weightPrecisions)[number];

/** What the other operand of a product with quantized weights is rounded to. */
export const activationPrecisions = ["float32", "int8"] as const;
export type ActivationPrecision = (typeof activationPrecisions)[number];

export interface Precision {
  readonly weights: WeightPrecision;
  readonly activations: ActivationPrecision;
}

/**
 * Activations in int8 wherever weights are quantized, unless said otherwise. With fp32 activations ONNX Runtime (1.30,
 * AVX2) dequantizes what it reads: of 8 bits the whole matrix in every run, so that a step of decoding is slower than
 * without quantization, and of 4 bits block by block, so that it is several times slower than with int8. What int8
 * costs in accuracy, docs/design/precision.md says.
 */
export function precisionOf(
  weights: WeightPrecision = "float32",
  activations: ActivationPrecision = weights === "float32" ? "float32" : "int8",
): Precision {
  return { weights, activations };
}

/** `int4 weights and int8 activations`. */
export function describePrecision({ weights, activations }: Precision): string {
  return `${weights} weights and ${activations} activations`;
}
