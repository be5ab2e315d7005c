import { RingrankError } from "@ringrank/errors";
import { inParts } from "../kernels/in-parts.js";
import { type KernelCall, kernelCall } from "../kernels/kernel-call.js";
import { KernelResult } from "../kernels/kernel-result.js";
import type { RankKernels } from "../kernels/rank-kernels.js";
import type { Tensor } from "../tensors/tensor.js";

/** An addition whose operands and result are in the kernels' memory. */
interface Prepared {
  readonly sum: Tensor;
  readonly value: Tensor | undefined;
  readonly result: Tensor;
  readonly calls: readonly KernelCall[];
}

/**
 * The addends of one sum over ranks, or of one product: a row that is added to each row, and then another value. The
 * kernel adds them if there is one, else plain code, with the same bits.
 */
export class Addition {
  readonly #kernels: RankKernels | undefined;
  readonly #result: KernelResult | undefined;
  /** In the kernels' memory, if there are kernels. */
  readonly #row: Float32Array | undefined;
  /** From the last run, because the same tensors come token after token. */
  #prepared: Prepared | undefined;

  /** @param rows rows of equal length; their sum is added to each row */
  constructor(rows: readonly Float32Array[], kernels: RankKernels | undefined) {
    const row = sumOf(rows);
    const room = row && kernels?.memory.floats(row.length);
    room?.set(row!);
    this.#row = room ?? row;
    // Without room for the row, the kernel cannot be used.
    this.#kernels = row === undefined || room !== undefined ? kernels : undefined;
    this.#result = this.#kernels && new KernelResult(this.#kernels.memory);
  }

  /** Whether {@link addInMemory} can be used. */
  get hasKernel(): boolean {
    return this.#kernels !== undefined;
  }

  /**
   * @param sum owned by the rank, so it may change; consists of whole rows
   * @param value as many elements as `sum`
   * @returns a tensor of the sum's shape: the sum itself, or a tensor that is valid until the next call
   * @throws RR_POLICY if they cannot be added
   */
  run(sum: Tensor, value?: Tensor): Tensor {
    const isAsBefore = this.#prepared?.sum === sum && this.#prepared.value === value;
    if (!isAsBefore) this.#prepared = this.#prepare(sum, value);
    if (this.#prepared === undefined) return this.#runElsewhere(sum, value);
    const { calls, result } = this.#prepared;
    for (const call of calls) this.#kernels!.make(call);
    return result;
  }

  /** What the last {@link run} did, if it was nothing but kernel calls. */
  get lastCalls(): readonly KernelCall[] | undefined {
    return this.#prepared?.calls;
  }

  /** Returns undefined if an operand is elsewhere, or there is no room. */
  #prepare(sum: Tensor, value: Tensor | undefined): Prepared | undefined {
    this.requireOperands(sum, value);
    const { memory } = this.#kernels ?? {};
    const x = sum.data as Float32Array;
    const y = value?.data as Float32Array | undefined;
    if (memory?.holds(x) !== true || (y !== undefined && !memory.holds(y))) return undefined;
    const result = this.#result!.tensor(sum.dims);
    if (result === undefined) return undefined;
    const out = (result.data as Float32Array).byteOffset;
    return { sum, value, result, calls: this.#callsAt(x.byteOffset, y?.byteOffset ?? 0, out, x.length) };
  }

  #runElsewhere(sum: Tensor, value: Tensor | undefined): Tensor {
    const x = sum.data as Float32Array;
    const y = value?.data as Float32Array | undefined;
    const result = this.#result?.tensor(sum.dims);
    const other = result && y && this.#inMemory(y);
    if (result === undefined || (y !== undefined && other === undefined)) {
      this.#addInPlace(x, y);
      return sum;
    }
    const out = result.data as Float32Array;
    out.set(x);
    this.addInMemory(out, other);
    return result;
  }

  /** Adds to `x`. Both must be in the kernels' memory. */
  addInMemory(x: Float32Array, value: Float32Array | undefined): void {
    const calls = this.#callsAt(x.byteOffset, value?.byteOffset ?? 0, x.byteOffset, x.length);
    for (const call of calls) this.#kernels!.make(call);
  }

  /** All are addresses. `y` is 0 for no value, and `out` may be `x`. */
  #callsAt(x: number, y: number, out: number, count: number): readonly KernelCall[] {
    const row = this.#row;
    const ofRow = row && kernelCall("addRow", x, row.byteOffset, out, count / row.length, row.length);
    const ofValue = y === 0 ? undefined : kernelCall("add", row === undefined ? x : out, y, out, count);
    return [ofRow, ofValue].filter((call) => call !== undefined);
  }

  /** @throws RR_POLICY if they cannot be added */
  requireOperands(sum: Tensor, value: Tensor | undefined): void {
    const x = sum.data;
    const y = value?.data;
    const width = this.#row?.length ?? 1;
    if (x instanceof Float32Array && x.length % width === 0) {
      if (y === undefined || (y instanceof Float32Array && x.length === y.length)) return;
    }
    const [one, other] = [sum, value].map((tensor) => tensor && `${tensor.type} [${tensor.dims.join(", ")}]`);
    throw new RingrankError(
      "RR_POLICY",
      `expected float32 addends of equal size, in rows of ${width}, got ${one} and ${other}`,
    );
  }

  /** Returns undefined if there is no room. */
  #inMemory(value: Float32Array): Float32Array | undefined {
    if (this.#kernels!.memory.holds(value)) return value;
    const scratch = this.#kernels!.scratch(value.length)?.subarray(0, value.length);
    scratch?.set(value);
    return scratch;
  }

  #addInPlace(x: Float32Array, y: Float32Array | undefined): void {
    const added =
      this.#kernels !== undefined &&
      inParts(this.#kernels, this.#row?.length ?? 1, x, y, (part, other) => this.addInMemory(part, other));
    if (!added) this.#addPlainly(x, y);
  }

  /** Storing an element rounds it to float32, like the kernel's additions. */
  #addPlainly(x: Float32Array, y: Float32Array | undefined): void {
    const row = this.#row;
    if (row !== undefined) for (let i = 0; i < x.length; i++) x[i]! += row[i % row.length]!;
    if (y !== undefined) for (let i = 0; i < x.length; i++) x[i]! += y[i]!;
  }
}

/** Returns undefined for no rows. */
function sumOf([first, ...others]: readonly Float32Array[]): Float32Array | undefined {
  const sum = first?.slice();
  for (const other of others) for (let i = 0; i < other.length; i++) sum![i]! += other[i]!;
  return sum;
}
