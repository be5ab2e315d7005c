/**
 * What computes on weights while they are read, all in one memory. Positions are addresses in it, in bytes, each a
 * multiple of its elements' size; what is written does not overlap what is read. Nothing here checks bounds.
 */
export interface Kernels {
  /** `count` elements at `from` as float32 at `to`. Exact. */
  readonly widenBfloat16: WidenKernel;
  /** As `widenBfloat16`, subnormals and infinities included. */
  readonly widenFloat16: WidenKernel;
  /** float32 `[rows, columns]` at `from` to `[columns, rows]` at `to`. */
  transpose(to: number, from: number, rows: number, columns: number): void;
  /**
   * float32 `[rows, columns]` at `from` to blocks of 4 bits, laid out as QuantizedSource (graph.ts) says. Rows follow
   * one another without a gap, in the values, in the scales and where they are read.
   */
  readonly quantize4: QuantizeKernel;
  /** As `quantize4`, to 8 bits. */
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

/** `simd` is what to use; `plain` is the reference in JavaScript that it is checked against, many times slower. */
export type KernelChoice = "simd" | "plain";
