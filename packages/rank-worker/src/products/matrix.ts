import type { TensorData } from "@ringrank/model";
import type { ProductMatrix, ProductStep } from "@ringrank/policy";
import type { RankKernels } from "../kernels/rank-kernels.js";
import type { Tensor } from "../tensors/tensor.js";

/** A matrix of a product step, and where what it makes lies in a row of the output. */
export interface Matrix {
  readonly rows: number;
  /** Elements of a row. */
  readonly width: number;
  readonly bias: Float32Array | undefined;
  /** Floats in front of it in a row of the output. */
  readonly offset: number;
  /** Those in whose memory all of it lies. */
  readonly kernels: RankKernels | undefined;
}

/** What a step gives under one name. */
export interface Output<M extends Matrix> {
  readonly matrices: readonly M[];
  /** Floats of a row. */
  readonly width: number;
}

/** Where a step's weights are to be found. */
export interface WeightSource {
  /** The tensor of a weight that the rank keeps, by name. */
  readonly weightOf: (name: string) => Tensor;
  /** In whose memory this lies, if in any's. */
  readonly kernelsOf: (data: TensorData) => RankKernels | undefined;
}

/** @param valuesOf the elements of a matrix, as its kind of product has them */
export function outputsOf<Values extends { readonly values: TensorData; readonly scales?: TensorData }>(
  { width, outputs }: ProductStep,
  { weightOf, kernelsOf }: WeightSource,
  valuesOf: (matrix: ProductMatrix) => Values,
): readonly Output<Matrix & Values>[] {
  return outputs.map(({ matrices }) => {
    let offset = 0;
    const laid = matrices.map((matrix): Matrix & Values => {
      const own = valuesOf(matrix);
      const bias = matrix.bias === undefined ? undefined : (weightOf(matrix.bias).data as Float32Array);
      const kernels = kernelsOf(own.values);
      const isThere = (data: TensorData | undefined) => data === undefined || kernels?.memory.holds(data);
      const all = isThere(own.scales) && isThere(bias) ? kernels : undefined;
      const laid = { ...own, rows: matrix.rows, width, bias, offset, kernels: all };
      offset += matrix.rows;
      return laid;
    });
    return { matrices: laid, width: offset };
  });
}
