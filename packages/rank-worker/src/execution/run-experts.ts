import { RingrankError } from "@ringrank/errors";
import { elementCount } from "@ringrank/model/weights";
import { type Tensor, tensor } from "../tensors/tensor.js";

/** A value, with its name in the program. */
interface Named {
  readonly name: string;
  readonly value: Tensor;
}

/**
 * Computes one expert.
 *
 * @param rows the rows that are routed to it
 * @param use is called with the result, `[1, rows, …]`
 */
export type RunExpert = (expert: number, rows: Tensor, use: (made: Tensor) => void) => Promise<void>;

/**
 * A mixture of experts (Shazeer et al., arXiv:1701.06538) that skips experts to which no row is routed: a decode step
 * only reads the weights of the experts it uses, and a prompt computes each expert only for its own rows.
 *
 * @param experts how many experts this rank has
 * @param rows `[rows, …]` or `[1, rows, …]`
 * @param weights `[experts, rows, 1]`; 0 if a row is not routed to an expert
 * @param outputDims the shape of the sum
 * @returns the sum over this rank's experts, and how many of them ran
 */
export async function runExperts(
  experts: number,
  { name, value: rows }: Named,
  weights: Named,
  outputDims: readonly number[],
  run: RunExpert,
): Promise<{ readonly output: Tensor; readonly ran: number }> {
  const input = float32(rows, name);
  const routing = float32(weights.value, weights.name);
  const count = weights.value.dims[1]!;
  const sum = new Float32Array(elementCount(outputDims));
  const outputWidth = sum.length / count;
  let ran = 0;
  for (let expert = 0; expert < experts; expert++) {
    const ofExpert = routing.subarray(expert * count, (expert + 1) * count);
    const chosen = rowsOf(ofExpert);
    if (chosen.length === 0) continue;
    ran++;
    const given = chosen.length === count ? rows : pick(input, chosen, count, rows.dims);
    await run(expert, given, (made) => {
      const computed = float32(made, name);
      for (const [at, row] of chosen.entries()) {
        const weight = ofExpert[row]!;
        const [from, to] = [at * outputWidth, row * outputWidth];
        for (let i = 0; i < outputWidth; i++) sum[to + i]! += weight * computed[from + i]!;
      }
    });
  }
  return { output: tensor("float32", sum, outputDims), ran };
}

/** Rows whose weight is not 0. NaN is not 0 either, so an earlier error does not vanish here. */
function rowsOf(weights: Float32Array): number[] {
  const rows: number[] = [];
  for (let row = 0; row < weights.length; row++) if (weights[row] !== 0) rows.push(row);
  return rows;
}

/** @param dims of all `count` rows */
function pick(data: Float32Array, rows: readonly number[], count: number, dims: readonly number[]): Tensor {
  const width = data.length / count;
  const picked = new Float32Array(rows.length * width);
  for (const [at, row] of rows.entries())
    picked.set(data.subarray(row * width, (row + 1) * width), at * width);
  return tensor("float32", picked, dims.with(dims[0] === count ? 0 : 1, rows.length));
}

function float32(value: Tensor, name: string): Float32Array {
  if (value.data instanceof Float32Array) return value.data;
  throw new RingrankError("RR_TYPE", `expected "${name}" to be float32, got ${value.type}`);
}
