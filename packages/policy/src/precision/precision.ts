/** The type that weights are held and computed in: fp32, or integers of 8 or 4 bits in blocks that share a scale. */
export const weightPrecisions = ["float32", "int8", "int4"] as const;
export type WeightPrecision = (typeof weightPrecisions)[number];

/** The type that the other operand of a product with quantized weights is rounded to. */
export const activationPrecisions = ["float32", "int8"] as const;
export type ActivationPrecision = (typeof activationPrecisions)[number];

export interface Precision {
  readonly weights: WeightPrecision;
  readonly activations: ActivationPrecision;
}

/**
 * Activations are int8 if weights are quantized, unless requested otherwise. With fp32 activations, ONNX Runtime (1.30,
 * AVX2) dequantizes what it reads. With 8 bits, it dequantizes the whole matrix in every run, so that a decode step is
 * slower than without quantization. With 4 bits, it works block by block, and is several times slower than with int8.
 * docs/design/precision.md says how much accuracy int8 costs.
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
