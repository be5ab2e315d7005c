import type { RankKernels } from "../kernels/rank-kernels.js";
import { addressOf } from "./address-of.js";

/** Σ exp(x − max), and max: the terms of a log-sum-exp, in a form that ranks can combine. */
export interface ExponentialSum {
  readonly max: number;
  readonly sum: number;
}

export const emptySum: ExponentialSum = { max: Number.NEGATIVE_INFINITY, sum: 0 };

/**
 * The sum for values divided by `temperature`. Each of its terms is off by 10⁻¹² of it at most, if kernels compute it.
 *
 * @param values neither NaN nor +∞
 */
export function exponentialSum(
  values: Float32Array,
  temperature: number,
  kernels?: RankKernels,
): ExponentialSum {
  const address = kernels && addressOf(values, kernels);
  const max = address === undefined ? largest(values) : kernels!.largest(address, values.length);
  if (max === Number.NEGATIVE_INFINITY) return emptySum;
  const sum =
    address === undefined
      ? sumExponentials(values, max, temperature)
      : kernels!.sumExponentials(address, values.length, max, 1 / temperature);
  return { max: max / temperature, sum };
}

function largest(values: Float32Array): number {
  let max = Number.NEGATIVE_INFINITY;
  for (let element = 0; element < values.length; element++) max = Math.max(max, values[element]!);
  return max;
}

function sumExponentials(values: Float32Array, max: number, temperature: number): number {
  let sum = 0;
  for (let element = 0; element < values.length; element++)
    sum += Math.exp((values[element]! - max) / temperature);
  return sum;
}
