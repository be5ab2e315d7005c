import { cpus } from "node:os";
import { kernelCall } from "../../kernels/kernel-call.js";
import type { RowKernel } from "../few-rows.js";
import type { FloatMatrix } from "./float-matrix.js";

/**
 * How many rows of a matrix are read in parallel. An AMD EPYC reads memory faster in four streams, a Xeon in eight
 * (docs/design/reading-matrices.md).
 */
const mostStreams = cpus()[0]?.model.startsWith("AMD") ? 4 : 8;

/** For matrices of float32, where rows are multiplied as they are. */
export const floatRowKernel: RowKernel<FloatMatrix> = {
  roomFor: () => 0,
  prepare: () => undefined,
  multiply(_, { x, rows }, { values, bias, width, rows: count }, { out, outBytes }) {
    const added = bias?.byteOffset ?? 0;
    const into = [added, out, outBytes, count, width, mostStreams] as const;
    return kernelCall("multiplyFloats", x, rows, values.byteOffset, ...into);
  },
  streamed(kernels, { values, rows, width }) {
    const rowBytes = 4 * width;
    const streams = Math.min(kernels.streamsOf(rows), mostStreams);
    const bytes = kernels.oneRowsOfEach(rows, streams, rowBytes) * rowBytes;
    return { kernels, values: values.byteOffset, streams, bytes };
  },
};

/** For matrices of bfloat16. */
export function bfloatRowKernel(width: number): RowKernel<FloatMatrix> {
  return {
    roomFor: (_, rows) => rows * width + sumsOfStreams,
    prepare: (_, x, rows, room) => kernelCall("splitRows", x, rows, width, room),
    multiply(_, { x, rows }, { values, bias, rows: count }, { out, outBytes }) {
      const added = bias?.byteOffset ?? 0;
      const into = [added, out, outBytes, count, width, mostStreams] as const;
      return kernelCall("multiplyBfloats", x, rows, values.byteOffset, ...into);
    },
    streamed(kernels, { values, rows }) {
      const rowBytes = 2 * width;
      const streams = Math.min(kernels.streamsOf(rows), mostStreams);
      const bytes = kernels.rowsOfEach(rows, streams, rowBytes) * rowBytes;
      return { kernels, values: values.byteOffset, streams, bytes };
    },
  };
}

/** Floats of scratch space behind the rows. */
const sumsOfStreams = 64;
