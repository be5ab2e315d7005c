import type { TensorData } from "@ringrank/model";
import type { ProductMatrix, ProductOutput } from "@ringrank/policy";
import type { RankKernels } from "../kernels/rank-kernels.js";
import type { Tensor } from "../tensors/tensor.js";

/** A matrix of a product step, and the place of its result in a row of the output. */
export interface Matrix {
  readonly rows: number;
  /** Elements of a row. */
  readonly width: number;
  readonly bias: Float32Array | undefined;
  /** Floats before its result in a row of the output. */
  readonly offset: number;
  /** The kernels whose memory contains all of it. */
  readonly kernels: RankKernels | undefined;
}

/** One output of a step. */
export interface Output<M extends Matrix> {
  readonly matrices: readonly M[];
  /** Floats of a row. */
  readonly width: number;
}

/** Provides a step's weights. */
export interface ProductWeights {
  /** The tensor of a weight that the rank holds, by name. */
  readonly weightOf: (name: string) => Tensor;
  /** The kernels whose memory contains the data, if any. */
  readonly kernelsOf: (data: TensorData) => RankKernels | undefined;
}

/** The parts of a kind of matrix, except its bias. */
interface Elements {
  readonly values: TensorData;
  readonly [more: string]: TensorData;
}

/** @param elementsOf returns the parts of a matrix */
export function outputsOf<M extends ProductMatrix, E extends Elements>(
  { width, outputs }: { readonly width: number; readonly outputs: readonly ProductOutput<M>[] },
  { weightOf, kernelsOf }: ProductWeights,
  elementsOf: (matrix: M) => E,
): readonly Output<Matrix & E>[] {
  return outputs.map(({ matrices }) => {
    let offset = 0;
    const laid = matrices.map((matrix): Matrix & E => {
      const elements = elementsOf(matrix);
      const bias = matrix.bias === undefined ? undefined : (weightOf(matrix.bias).data as Float32Array);
      const all = [...Object.values<TensorData>(elements), ...(bias === undefined ? [] : [bias])];
      const near = kernelsOf(elements.values);
      const kernels = all.every((data) => near?.memory.holds(data)) ? near : undefined;
      const laid = { ...elements, rows: matrix.rows, width, bias, offset, kernels };
      offset += matrix.rows;
      return laid;
    });
    return { matrices: laid, width: offset };
  });
}
