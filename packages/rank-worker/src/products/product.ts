import { RingrankError } from "@ringrank/errors";
import type { TensorData } from "@ringrank/model";
import type { ProductStep } from "@ringrank/policy";
import { KernelResult } from "../kernels/kernel-result.js";
import type { RankKernels } from "../kernels/rank-kernels.js";
import { TransientTensor } from "../kernels/transient-tensor.js";
import type { Tensor } from "../tensors/tensor.js";
import { FewRows } from "./few-rows.js";
import type { IntegerProduct, RunIntegers } from "./integer-product.js";
import { ManyRows } from "./many-rows.js";
import { type Output, outputsOf } from "./matrix.js";
import { byMemory, type Placed } from "./placed.js";

/** Of so few rows results are kept in the kernels' memory, however long a row is: logits have hundreds of thousands. */
const fewKept = 4;

/**
 * One product step of a program: few rows by a kernel on weights as they lie in memory, many by a session to which the
 * matrices are fed, as whole numbers, piece by piece. docs/design-notes.md has what was measured.
 */
export class Product {
  readonly #step: ProductStep;
  readonly #outputs: readonly Output[];
  readonly #results: readonly (KernelResult | undefined)[];
  readonly #memories: ReadonlyMap<RankKernels | undefined, readonly Placed[]>;
  /** Undefined where a matrix lies in no kernels' memory. */
  readonly #few: FewRows | undefined;
  readonly #many: ManyRows;
  /** By place: whether the entry gives it, so that it outlives the run. */
  readonly #isGiven: readonly boolean[];

  /**
   * @param integers by the step's segments
   * @param weightOf the tensor of a weight that the rank keeps, by name
   * @param kernelsOf in whose memory this lies, if in any's
   * @param given names of what the entry gives
   */
  constructor(
    step: ProductStep,
    integers: IntegerProduct,
    weightOf: (name: string) => Tensor,
    kernelsOf: (data: TensorData) => RankKernels | undefined,
    given: ReadonlySet<string>,
  ) {
    this.#step = step;
    this.#outputs = outputsOf(step, weightOf, kernelsOf);
    this.#results = this.#outputs.map(({ matrices: [first] }) => {
      return first?.kernels && new KernelResult(first.kernels.memory);
    });
    this.#memories = byMemory(this.#outputs);
    this.#few = FewRows.of(step, this.#memories);
    this.#many = new ManyRows(step, integers);
    this.#isGiven = step.outputs.map(({ name }) => given.has(name));
  }

  /**
   * @param value `[…, width]`
   * @param run of the step's segments
   * @returns by place in the step's outputs, `[…, its width]`; good until the next call, or {@link TransientTensor}s
   * @throws RR_POLICY if `value` has no such rows
   */
  run(value: Tensor, run: RunIntegers): readonly Tensor[] | Promise<readonly Tensor[]> {
    const x = this.#floatsOf(value);
    const rows = x.length / this.#step.width;
    const outputs = this.#outputs.map((output, at) => this.#room(output, at, value, rows));
    if (x.length === 0 || this.#few?.multiply(x, outputs)) return outputs;
    return this.#runMany(x, outputs, run);
  }

  async #runMany(x: Float32Array, outputs: readonly Tensor[], run: RunIntegers): Promise<readonly Tensor[]> {
    const targets = outputs.map(({ data }) => data as Float32Array);
    for (const [kernels, placed] of this.#memories) {
      await this.#many.multiply(x, kernels, placed, targets, run);
    }
    return outputs;
  }

  /** Where kernels and sessions read it in place, if there is room. */
  #room({ width, matrices: [first] }: Output, at: number, { dims }: Tensor, rows: number): Tensor {
    const sizes = [...dims.slice(0, -1), width];
    const kept = this.#results[at]?.tensor(sizes, rows <= fewKept ? Number.POSITIVE_INFINITY : undefined);
    if (kept !== undefined) return kept;
    const memory = this.#isGiven[at] ? undefined : first?.kernels?.memory;
    return TransientTensor.takeOrMake(memory, sizes);
  }

  #floatsOf({ data, type, dims }: Tensor): Float32Array {
    if (data instanceof Float32Array && dims.at(-1) === this.#step.width) return data;
    throw new RingrankError(
      "RR_POLICY",
      `expected float32 rows of ${this.#step.width} to be multiplied, got ${type} [${dims.join(", ")}]`,
    );
  }
}
