/** Σ exp(x − max), and max: the terms of a log-sum-exp, in a form that ranks can combine. */
export interface ExponentialSum {
  readonly max: number;
  readonly sum: number;
}

export const emptySum: ExponentialSum = { max: Number.NEGATIVE_INFINITY, sum: 0 };

/** The sum for values divided by `temperature`. */
export function exponentialSum(values: Float32Array, temperature: number): ExponentialSum {
  let max = Number.NEGATIVE_INFINITY;
  for (let element = 0; element < values.length; element++) max = Math.max(max, values[element]!);
  if (max === Number.NEGATIVE_INFINITY) return emptySum;
  let sum = 0;
  for (let element = 0; element < values.length; element++)
    sum += Math.exp((values[element]! - max) / temperature);
  return { max: max / temperature, sum };
}
