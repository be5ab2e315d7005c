import type { TensorData } from "@ringrank/model";
import type { ProductStep, QuantizedMatrix } from "@ringrank/policy";
import type { RankKernels } from "../kernels/rank-kernels.js";
import type { Tensor } from "../tensors/tensor.js";
import type { BlockQuantized } from "./blocks.js";

/** A matrix of a product step, and where what it makes lies in a row of the output. */
export interface Matrix extends BlockQuantized {
  readonly rows: number;
  readonly bias: Float32Array | undefined;
  /** Floats in front of it in a row of the output. */
  readonly offset: number;
  /** Those in whose memory all of it lies. */
  readonly kernels: RankKernels | undefined;
}

/** What a step gives under one name. */
export interface Output {
  readonly matrices: readonly Matrix[];
  /** Floats of a row. */
  readonly width: number;
}

export function outputsOf(
  { bits, width, outputs }: ProductStep,
  weightOf: (name: string) => Tensor,
  kernelsOf: (data: TensorData) => RankKernels | undefined,
): readonly Output[] {
  return outputs.map(({ matrices }) => {
    let offset = 0;
    const laid = matrices.map((matrix) => {
      const data = dataOf(matrix, weightOf);
      const laid = {
        ...data,
        bits,
        width,
        rows: matrix.rows,
        offset,
        kernels: kernelsOfAll(data, kernelsOf),
      };
      offset += matrix.rows;
      return laid;
    });
    return { matrices: laid, width: offset };
  });
}

type Data = Pick<Matrix, "values" | "scales" | "bias">;

function dataOf({ values, scales, bias }: QuantizedMatrix, weightOf: (name: string) => Tensor): Data {
  return {
    values: weightOf(values).data as Uint8Array,
    scales: weightOf(scales).data as Float32Array,
    bias: bias === undefined ? undefined : (weightOf(bias).data as Float32Array),
  };
}

function kernelsOfAll(
  { values, scales, bias }: Data,
  kernelsOf: (data: TensorData) => RankKernels | undefined,
): RankKernels | undefined {
  const kernels = kernelsOf(values);
  const isThere = (data: TensorData | undefined) => data === undefined || kernels?.memory.holds(data);
  return isThere(scales) && isThere(bias) ? kernels : undefined;
}
