import type { QuantizedProductStep } from "@ringrank/policy";
import type { RowKernel } from "../few-rows.js";
import { blocksOf, type QuantizedMatrix } from "./blocks.js";

/** For block-quantized matrices, where rows are rounded to int8, block by block. */
export function quantizedRowKernel({ bits, width }: QuantizedProductStep): RowKernel<QuantizedMatrix> {
  const blocks = blocksOf(width);
  return {
    roomFor({ products }, rows) {
      const { blockBytes, roomBytes } = products[bits];
      // Rounding the last block needs less room, and is done before.
      return (rows * blocks * blockBytes + roomBytes) / 4;
    },
    prepare({ products, keepsRowsApart }, x, rows, room) {
      products[bits].quantize(x, rows, width, keepsRowsApart, room);
      return room;
    },
    multiply({ products, keepsRowsApart }, x, rows, { values, scales, bias, rows: count }, out, outBytes) {
      const added = bias?.byteOffset ?? 0;
      const { byteOffset, BYTES_PER_ELEMENT } = scales;
      products[bits].multiply(
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
