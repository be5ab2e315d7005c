/** What weights are held and computed in: fp32, or whole numbers of 8 or 4 bits in blocks that share a scale. */
export type WeightPrecision = "float32" | "int8" | "int4";

/** What the other operand of a product with quantized weights is rounded to. */
export type ActivationPrecision = "float32" | "int8";

export interface Precision {
  readonly weights: WeightPrecision;
  readonly activations: ActivationPrecision;
}

/**
 * Activations in int8 wherever weights are quantized, unless said otherwise. On one thread of a server CPU with AVX2,
 * six matrices of 2048 × 5632 (ONNX Runtime 1.30, milliseconds; 1 row is a step of decoding, 256 rows a prompt):
 *
 *     weights   activations   1 row   256 rows
 *     float32   float32        21      568
 *     int8      float32       500     1130       every run dequantizes the matrix first
 *     int8      int8            5.9    660
 *     int4      float32        16      513
 *     int4      int8            3.4    523
 *
 * What that costs in accuracy, docs/design-notes.md says.
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
