/**
 * Operations on weights while they are read, all in one memory. Positions are addresses in it, in bytes, each a
 * multiple of its elements' size. The output must not overlap the input. They do not check bounds.
 */
export interface Kernels {
  /** `count` elements at `from` as float32 at `to`. Exact. */
  readonly widenBfloat16: WidenKernel;
  /** Like `widenBfloat16`, including subnormals and infinities. */
  readonly widenFloat16: WidenKernel;
  /** float32 `[rows, columns]` at `from` to `[columns, rows]` at `to`. */
  transpose(to: number, from: number, rows: number, columns: number): void;
  /**
   * float32 `[rows, columns]` at `from` to blocks of 4 bits, in the layout of QuantizedSource (graph.ts). Rows are
   * contiguous in the input, in the values and in the scales.
   */
  readonly quantize4: QuantizeKernel;
  /** Like `quantize4`, with 8 bits. */
  readonly quantize8: QuantizeKernel;
}

export type WidenKernel = (to: number, from: number, count: number) => void;
export type QuantizeKernel = (
  values: number,
  scales: number,
  from: number,
  rows: number,
  columns: number,
) => void;

/** `simd` is the one to use. `plain` is the JavaScript reference that it is checked against, and many times slower. */
export type KernelChoice = "simd" | "plain";
