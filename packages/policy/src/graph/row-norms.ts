/**
 * Operators that normalize rows and multiply them by a scale: whether they first subtract a row's mean.
 * https://onnx.ai/onnx/operators/onnx__LayerNormalization.html
 */
export const subtractsMean: ReadonlyMap<string, boolean> = new Map([
  ["LayerNormalization", true],
  ["RMSNormalization", false],
  ["SimplifiedLayerNormalization", false],
  ["com.microsoft::SimplifiedLayerNormalization", false],
]);
