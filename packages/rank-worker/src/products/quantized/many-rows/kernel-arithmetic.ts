import type { RankKernels } from "../../../kernels/rank-kernels.js";
import { blockSize, blocksOf } from "../blocks.js";
import { runsWithin } from "../scale-runs.js";
import { type GroupArithmetic, mostOverMean } from "./group-arithmetic.js";

/** By kernels, if everything is in their memory. */
export function kernelArithmetic(kernels: RankKernels, bits: 4 | 8): GroupArithmetic {
  const { groupWeights } = kernels.products[bits];
  return {
    activations: (x, width, { firstBlock, blocks }, { values, rests, scales, order, scratch }) => {
      const first = firstBlock * blockSize;
      return kernels.groupActivations(
        x.byteOffset + 4 * first,
        x.length / width,
        4 * width,
        4 * Math.min(blocks * blockSize, width - first),
        values instanceof Uint8Array ? 128 : 0,
        mostOverMean,
        values.byteOffset,
        rests.byteOffset,
        scales.byteOffset,
        order.byteOffset,
        scratch.byteOffset,
      );
    },
    weights: ({ width, values, scales, scaleRuns }, first, { firstBlock, blocks }, out, outScales) => {
      const rowBlocks = blocksOf(width);
      const rowBytes = blocks * blockSize;
      const scaleBytes = scales.BYTES_PER_ELEMENT;
      for (const run of runsWithin(scaleRuns, first, out.length / rowBytes, rowBlocks)) {
        groupWeights(
          values.byteOffset + (run.first * rowBlocks + firstBlock) * 4 * bits,
          scales.byteOffset + (run.at + firstBlock * run.step) * scaleBytes,
          scaleBytes,
          rowBlocks,
          run.step * scaleBytes,
          blocks,
          out.byteOffset + (run.first - first) * rowBytes,
          outScales.byteOffset + (run.first - first) * 4,
          run.rows,
        );
      }
    },
    begin: ({ sums, scales, columns, count }, bias, { out, outWidth }) => {
      kernels.beginSums(
        sums.byteOffset,
        scales.byteOffset,
        columns.scales.byteOffset,
        columns.rows.byteOffset,
        bias?.byteOffset ?? 0,
        out.byteOffset,
        4 * outWidth,
        columns.count,
        count,
      );
    },
    add: ({ sums, scales, columns, count }, factor, { out, outWidth }) => {
      kernels.addSums(
        sums.byteOffset,
        scales.byteOffset,
        columns.scales.byteOffset,
        factor,
        columns.rows.byteOffset,
        out.byteOffset,
        4 * outWidth,
        columns.count,
        count,
      );
    },
  };
}
