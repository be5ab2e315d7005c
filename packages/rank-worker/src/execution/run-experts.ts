import { RingrankError } from "@ringrank/errors";
import { elementCount } from "../tensors/element-types.js";
import { type Tensor, tensor } from "../tensors/tensor.js";

/** The inputs, by expert, of a segment that computes one expert, apart from rows; and its output. */
export interface ExpertStacks {
  readonly experts: readonly Readonly<Record<string, Tensor>>[];
  readonly perExpert: string;
}

/** A value, with its name in the program and in the segment. */
interface Named {
  readonly name: string;
  readonly value: Tensor;
}

/** Runs the segment on feeds. */
export type RunSession = (
  feeds: Readonly<Record<string, Tensor>>,
) => Promise<Readonly<Record<string, Tensor>>>;

/**
 * A mixture of experts (Shazeer et al., arXiv:1701.06538) that skips experts to which no row is routed: a decode step
 * only reads the weights of the experts it uses, and a prompt computes each expert only for its own rows.
 *
 * @param rows `[rows, …]`
 * @param weights `[experts of this rank, rows, 1]`; 0 if a row is not routed to an expert
 * @param outputDims the shape of the sum
 * @returns the sum over this rank's experts, and how many of them ran
 */
export async function runExperts(
  { experts, perExpert }: ExpertStacks,
  { name, value: rows }: Named,
  weights: Named,
  outputDims: readonly number[],
  run: RunSession,
): Promise<{ readonly output: Tensor; readonly ran: number }> {
  const input = float32(rows, name);
  const routing = float32(weights.value, weights.name);
  const count = rows.dims[0]!;
  const width = input.length / count;
  const sum = new Float32Array(elementCount(outputDims));
  const outputWidth = sum.length / count;
  let ran = 0;
  for (const [expert, stacks] of experts.entries()) {
    const ofExpert = routing.subarray(expert * count, (expert + 1) * count);
    const chosen = rowsOf(ofExpert);
    if (chosen.length === 0) continue;
    ran++;
    const fed = chosen.length === count ? rows : pick(input, chosen, width, rows.dims);
    const results = await run({ ...stacks, [name]: fed });
    const computed = float32(results[perExpert]!, perExpert);
    for (const [at, row] of chosen.entries()) {
      const weight = ofExpert[row]!;
      const [from, to] = [at * outputWidth, row * outputWidth];
      for (let i = 0; i < outputWidth; i++) sum[to + i]! += weight * computed[from + i]!;
    }
  }
  return { output: tensor("float32", sum, outputDims), ran };
}

/** Rows whose weight is not 0. NaN is not 0 either, so an earlier error does not vanish here. */
function rowsOf(weights: Float32Array): number[] {
  const rows: number[] = [];
  for (let row = 0; row < weights.length; row++) if (weights[row] !== 0) rows.push(row);
  return rows;
}

function pick(data: Float32Array, rows: readonly number[], width: number, dims: readonly number[]): Tensor {
  const picked = new Float32Array(rows.length * width);
  for (const [at, row] of rows.entries())
    picked.set(data.subarray(row * width, (row + 1) * width), at * width);
  return tensor("float32", picked, [rows.length, ...dims.slice(1)]);
}

function float32(value: Tensor, name: string): Float32Array {
  if (value.data instanceof Float32Array) return value.data;
  throw new RingrankError("RR_TYPE", `expected "${name}" to be float32, got ${value.type}`);
}
