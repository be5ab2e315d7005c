import type { QuantizedProductStep } from "@ringrank/policy";
import { kernelCall } from "../../kernels/kernel-call.js";
import type { RowKernel } from "../few-rows.js";
import { blocksOf, type QuantizedMatrix } from "./blocks.js";

/** For block-quantized matrices, where rows are rounded to int8, block by block. */
export function quantizedRowKernel({ bits, width }: QuantizedProductStep): RowKernel<QuantizedMatrix> {
  const blocks = blocksOf(width);
  return {
    roomFor({ products }, rows) {
      const { blockBytes, roomBytes } = products[bits];
      // Rounding the last block needs less room, and is done before.
      return (rows * blocks * blockBytes + roomBytes(blocks)) / 4;
    },
    prepare: ({ keepsRowsApart }, x, rows, room) =>
      kernelCall(`quantize${bits}`, x, rows, width, keepsRowsApart, room),
    multiply({ keepsRowsApart }, { x, rows }, { values, scales, bias, rows: count }, { out, outBytes }) {
      const added = bias?.byteOffset ?? 0;
      const { byteOffset, BYTES_PER_ELEMENT } = scales;
      return kernelCall(
        `multiply${bits}`,
        x,
        rows,
        keepsRowsApart,
        values.byteOffset,
        byteOffset,
        BYTES_PER_ELEMENT,
        added,
        out,
        outBytes,
        count,
        blocks,
      );
    },
    streamed(kernels, { values, rows }) {
      const rowBytes = blocks * 4 * bits;
      const streams = kernels.streamsOf(rows);
      const bytes = kernels.rowsOfEach(rows, streams, rowBytes) * rowBytes;
      return { kernels, values: values.byteOffset, streams, bytes };
    },
  };
}
