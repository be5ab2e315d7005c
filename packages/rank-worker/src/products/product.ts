import { RingrankError } from "@ringrank/errors";
import type { ProductStep } from "@ringrank/policy";
import type { KernelMemory } from "../kernels/kernel-memory.js";
import { KernelResult } from "../kernels/kernel-result.js";
import { TransientTensor } from "../kernels/transient-tensor.js";
import type { Tensor } from "../tensors/tensor.js";
import type { Epilogue } from "./epilogue.js";
import type { HeadStart } from "./head-start.js";
import type { Multiplier, RunSegment } from "./multiplier.js";

/**
 * Results of up to this many rows are kept in the kernels' memory, however long a row is: logits have hundreds of
 * thousands of elements.
 */
const fewKept = 4;

/**
 * One product step of a program: few rows are multiplied by a kernel on the weights as they are in memory, many rows by
 * a session to which the matrices are fed. docs/design/products.md has the measurements.
 */
export class Product {
  readonly #step: ProductStep;
  readonly #multiplier: Multiplier;
  readonly #memory: KernelMemory | undefined;
  readonly #results: readonly (KernelResult | undefined)[];
  /** By output: whether it is an output of the entry, and so outlives the run. */
  readonly #isGiven: readonly boolean[];

  /**
   * @param memory the memory of the kernels that read the results
   * @param given names of the entry's outputs
   */
  constructor(
    step: ProductStep,
    multiplier: Multiplier,
    memory: KernelMemory | undefined,
    given: ReadonlySet<string>,
  ) {
    this.#step = step;
    this.#multiplier = multiplier;
    this.#memory = memory;
    this.#results = step.outputs.map(() => memory && new KernelResult(memory));
    this.#isGiven = step.outputs.map(({ name }) => given.has(name));
  }

  get headStart(): HeadStart | undefined {
    return this.#multiplier.headStart;
  }

  /**
   * @param value `[…, width]`
   * @param run runs one of the step's segments
   * @returns by output of the step, `[…, its width]`; valid until the next call, or {@link TransientTensor}s
   * @throws RR_POLICY if `value` has no such rows
   */
  run(value: Tensor, run: RunSegment): readonly Tensor[] | Promise<readonly Tensor[]> {
    const x = this.#floatsOf(value);
    this.headStart?.reset();
    const rows = x.length / this.#step.width;
    const outputs = this.#multiplier.widths.map((width, at) => this.#room(at, value, rows, width));
    const targets = outputs.map(({ data }) => data as Float32Array);
    if (x.length === 0 || this.#multiplier.multiplyFew(x, targets)) return outputs;
    return this.#multiplier.multiplyMany(x, targets, run).then(() => outputs);
  }

  /**
   * Computes only the epilogue's result, so that the step's outputs never exist as a whole.
   *
   * @returns a {@link TransientTensor} as wide as each of the step's outputs; undefined, or a promise of it, if the
   * step must run first
   * @throws RR_POLICY as {@link run}
   */
  runInto(value: Tensor, epilogue: Epilogue, run: RunSegment): Promise<Tensor | undefined> | undefined {
    const x = this.#floatsOf(value);
    const multiply = this.#multiplier.withEpilogue(x.length / this.#step.width, epilogue);
    if (multiply === undefined) return undefined;
    const sizes = [...value.dims.slice(0, -1), this.#multiplier.widths[0]!];
    const made = TransientTensor.take(epilogue.list.kernels.memory, sizes);
    if (made === undefined) return undefined;
    this.headStart?.reset();
    return multiply(x, made.data as Float32Array, run).then((isMade) => {
      if (isMade) return made;
      made.release();
      return undefined;
    });
  }

  /** Memory that kernels and sessions read in place, if there is room. */
  #room(at: number, { dims }: Tensor, rows: number, width: number): Tensor {
    const sizes = [...dims.slice(0, -1), width];
    const kept = this.#results[at]?.tensor(sizes, rows <= fewKept ? Number.POSITIVE_INFINITY : undefined);
    return kept ?? TransientTensor.takeOrMake(this.#isGiven[at] ? undefined : this.#memory, sizes);
  }

  #floatsOf({ data, type, dims }: Tensor): Float32Array {
    if (data instanceof Float32Array && dims.at(-1) === this.#step.width) return data;
    throw new RingrankError(
      "RR_POLICY",
      `expected float32 rows of ${this.#step.width} elements to multiply, got ${type} [${dims.join(", ")}]`,
    );
  }
}
