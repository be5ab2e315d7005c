import { RingrankError } from "@ringrank/errors";
import type { ProductStep } from "@ringrank/policy";
import type { KernelCall } from "../kernels/kernel-call.js";
import type { KernelMemory } from "../kernels/kernel-memory.js";
import { KernelResult } from "../kernels/kernel-result.js";
import type { RankKernels } from "../kernels/rank-kernels.js";
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

/** The rows of a value, and room for their products. */
export interface PreparedRows {
  readonly value: Tensor;
  /** Its data. */
  readonly x: Float32Array;
  /** By output of the step, `[…, its width]`; valid until other rows are prepared, or {@link TransientTensor}s. */
  readonly outputs: readonly Tensor[];
  /** Their data. */
  readonly targets: readonly Float32Array[];
}

/**
 * One product step of a program: few rows are multiplied by a kernel on the weights as they are in memory, many rows by
 * a session to which the matrices are fed. docs/design/products.md has the measurements.
 */
export class Product {
  readonly #step: ProductStep;
  readonly #multiplier: Multiplier;
  readonly #memory: KernelMemory | undefined;
  readonly #results: readonly (KernelResult | undefined)[];
  /** From the last run, if the results are kept, because the same tensor comes token after token. */
  #kept: PreparedRows | undefined;
  /** The rows that the last run multiplied by kernels; undefined if sessions did it, or there were none. */
  #multiplied: PreparedRows | undefined;

  /** @param memory the memory of the kernels that read the results */
  constructor(step: ProductStep, multiplier: Multiplier, memory: KernelMemory | undefined) {
    this.#step = step;
    this.#multiplier = multiplier;
    this.#memory = memory;
    this.#results = step.outputs.map(() => memory && new KernelResult(memory));
  }

  get headStart(): HeadStart | undefined {
    return this.#multiplier.headStart;
  }

  /**
   * The rows of a value, and room for their products.
   *
   * @param value `[…, width]`
   * @throws RR_POLICY if it has no such rows
   */
  prepare(value: Tensor): PreparedRows {
    return this.#kept?.value === value ? this.#kept : this.#prepareAnew(value);
  }

  /** @returns false if {@link multiplyMany} must be used, because there are too many rows or no workspace */
  multiplyFew(rows: PreparedRows): boolean {
    const { x, targets } = rows;
    this.headStart?.reset();
    this.#multiplied = undefined;
    if (x.length === 0) return true;
    const isDone = this.#multiplier.multiplyFew(x, targets);
    if (isDone) this.#multiplied = rows;
    return isDone;
  }

  /** What the last run did, if it was nothing but calls of these kernels, and its results are kept. */
  lastCalls(kernels: RankKernels): readonly KernelCall[] | undefined {
    const isKept = this.#multiplied !== undefined && this.#multiplied === this.#kept;
    return isKept ? this.#multiplier.lastCalls(kernels) : undefined;
  }

  /** @param run runs one of the step's segments */
  multiplyMany({ x, targets }: PreparedRows, run: RunSegment): Promise<void> {
    return this.#multiplier.multiplyMany(x, targets, run);
  }

  /**
   * Returns a function that computes only the epilogue's result, so that the step's outputs never exist as a whole: a
   * {@link TransientTensor} as wide as each of them, or undefined if the products must be computed first. No function
   * if they must be in any case.
   *
   * @throws RR_POLICY as {@link prepare}
   */
  into(
    value: Tensor,
    epilogue: Epilogue,
  ): ((run: RunSegment) => Promise<TransientTensor | undefined>) | undefined {
    const x = this.#floatsOf(value);
    const multiply = this.#multiplier.withEpilogue(x.length / this.#step.width, epilogue);
    if (multiply === undefined) return undefined;
    const sizes = [...value.dims.slice(0, -1), this.#multiplier.widths[0]!];
    const made = TransientTensor.take(epilogue.list.kernels.memory, sizes);
    if (made === undefined) return undefined;
    this.headStart?.reset();
    this.#multiplied = undefined;
    return async (run) => {
      if (await multiply(x, made.data as Float32Array, run)) return made;
      made.release();
      return undefined;
    };
  }

  #prepareAnew(value: Tensor): PreparedRows {
    const x = this.#floatsOf(value);
    const rows = x.length / this.#step.width;
    const { widths } = this.#multiplier;
    const outputs = Array.from(widths, (width, at) => this.#room(at, value, rows, width));
    const targets = Array.from(outputs, ({ data }) => data as Float32Array);
    const prepared = { value, x, outputs, targets };
    const isKept = outputs.every((output, at) => this.#results[at]?.isLast(output));
    this.#kept = isKept ? prepared : undefined;
    return prepared;
  }

  /** Memory that kernels and sessions read in place, if there is room. */
  #room(at: number, { dims }: Tensor, rows: number, width: number): Tensor {
    const sizes = [...dims.slice(0, -1), width];
    const kept = this.#results[at]?.tensor(sizes, rows <= fewKept ? Number.POSITIVE_INFINITY : undefined);
    return kept ?? TransientTensor.takeOrMake(this.#memory, sizes);
  }

  #floatsOf({ data, type, dims }: Tensor): Float32Array {
    if (data instanceof Float32Array && dims.at(-1) === this.#step.width) return data;
    throw new RingrankError(
      "RR_POLICY",
      `expected float32 rows of ${this.#step.width} elements to multiply, got ${type} [${dims.join(", ")}]`,
    );
  }
}
