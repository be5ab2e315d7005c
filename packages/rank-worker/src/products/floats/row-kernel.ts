import type { RowKernel } from "../few-rows.js";
import type { FloatMatrix } from "./float-matrix.js";

/** By matrices of floats: rows are multiplied as they are. */
export const floatRowKernel: RowKernel<FloatMatrix> = {
  roomFor: () => 0,
  prepare: (_, x) => x,
  multiply(kernels, x, rows, { values, bias, width, rows: count }, out, outBytes) {
    const added = bias?.byteOffset ?? 0;
    kernels.multiplyFloats(x, rows, values.byteOffset, added, out, outBytes, count, width);
  },
  streamed(kernels, { values, rows, width }) {
    const rowBytes = 4 * width;
    const streams = kernels.streamsOf(rows);
    const bytes = kernels.oneRowsOfEach(rows, streams, rowBytes) * rowBytes;
    return { kernels, values: values.byteOffset, streams, bytes };
  },
};
