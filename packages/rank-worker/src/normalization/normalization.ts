import type { NormalizeStep } from "@ringrank/policy";
import { inParts } from "../kernels/in-parts.js";
import { type KernelCall, kernelCall } from "../kernels/kernel-call.js";
import { floatsAtOnce, KernelResult } from "../kernels/kernel-result.js";
import type { RankKernels } from "../kernels/rank-kernels.js";
import { TransientTensor } from "../kernels/transient-tensor.js";
import { type Tensor, tensor } from "../tensors/tensor.js";
import { Addition } from "./addition.js";
import { plainNormalize } from "./plain-normalize.js";

/** One normalization step of a program: by the kernel if there is one, else by plain code. */
export class Normalization {
  readonly #parameters: Parameters;
  readonly #addition: Addition | undefined;
  readonly #kernel: KernelRows | undefined;

  /** @param parameterOf returns the tensor of a weight that the rank holds, by name */
  constructor(step: NormalizeStep, parameterOf: (name: string) => Tensor, kernels: RankKernels | undefined) {
    const { epsilon, centered } = step;
    const floats = (name: string): Float32Array => parameterOf(name).data as Float32Array;
    this.#parameters = {
      scale: floats(step.scale),
      bias: step.bias === undefined ? undefined : floats(step.bias),
      epsilon,
      centered,
    };
    this.#addition = step.added && new Addition(step.added.rows.map(floats), kernels);
    this.#kernel = kernels && KernelRows.open(kernels, this.#parameters);
  }

  /**
   * @param value owned by the rank; it changes if something is added to it
   * @param addend as many elements, for a step that adds a value
   * @throws RR_POLICY if `addend` cannot be added to `value`
   */
  run(value: Tensor, addend?: Tensor): Normalized {
    const inParts = this.#addition && this.#kernel?.addAndNormalizeInParts(value, this.#addition, addend);
    if (inParts !== undefined) return inParts;
    const sum = this.#addition?.run(value, addend) ?? value;
    return { sum, normalized: this.#kernel?.run(sum) ?? this.#runPlainly(sum) };
  }

  /** What the last {@link run} did, if it was nothing but calls of these kernels. */
  lastCalls(kernels: RankKernels): readonly KernelCall[] | undefined {
    const added = this.#addition === undefined ? [] : this.#addition.lastCalls;
    const normalized = this.#kernel?.lastCall(kernels);
    return added && normalized && [...added, normalized];
  }

  #runPlainly({ data, dims }: Tensor): Tensor {
    const out = new Float32Array(data.length);
    plainNormalize(data as Float32Array, out, this.#parameters);
    return tensor("float32", out, dims);
  }
}

/** Tensors in the shape of the input, valid until the next call, or a {@link TransientTensor}. */
interface Normalized {
  /** The normalization's input: the value itself if nothing is added to it. */
  readonly sum: Tensor;
  readonly normalized: Tensor;
}

interface Parameters {
  readonly scale: Float32Array;
  readonly bias: Float32Array | undefined;
  readonly epsilon: number;
  readonly centered: boolean;
}

/** A normalization in the kernels' memory. */
interface Prepared {
  readonly value: Tensor;
  readonly result: Tensor;
  readonly call: KernelCall;
}

/** Normalizes rows by the kernel, with scale and bias in its memory. */
class KernelRows {
  readonly #kernels: RankKernels;
  readonly #parameters: Parameters;
  readonly #scale: number;
  readonly #bias: number;
  readonly #result: KernelResult;
  /** From the last run, because the same tensor comes token after token. */
  #prepared: Prepared | undefined;

  private constructor(kernels: RankKernels, parameters: Parameters, scale: Float32Array, bias: Float32Array) {
    this.#kernels = kernels;
    this.#parameters = parameters;
    this.#scale = scale.byteOffset;
    this.#bias = parameters.bias === undefined ? 0 : bias.byteOffset;
    this.#result = new KernelResult(kernels.memory);
  }

  /** Returns undefined if there is no room. */
  static open(kernels: RankKernels, parameters: Parameters): KernelRows | undefined {
    const { memory } = kernels;
    const scale = memory.floats(parameters.scale.length);
    const bias = memory.floats(parameters.bias?.length ?? 0);
    if (scale === undefined || bias === undefined) {
      for (const place of [scale, bias]) if (place !== undefined) memory.release(place);
      return undefined;
    }
    scale.set(parameters.scale);
    if (parameters.bias !== undefined) bias.set(parameters.bias);
    return new KernelRows(kernels, parameters, scale, bias);
  }

  /** Returns undefined if there is no room. */
  run(value: Tensor): Tensor | undefined {
    if (this.#prepared?.value !== value) this.#prepared = this.#prepare(value);
    if (this.#prepared === undefined) return this.#runElsewhere(value);
    const { call, result } = this.#prepared;
    this.#kernels.make(call);
    return result;
  }

  lastCall(kernels: RankKernels): KernelCall | undefined {
    return kernels === this.#kernels ? this.#prepared?.call : undefined;
  }

  /** Returns undefined if it is in other memory, or too large to be processed at once. */
  #prepare(value: Tensor): Prepared | undefined {
    const data = value.data as Float32Array;
    const result = this.#kernels.memory.holds(data) ? this.#result.tensor(value.dims) : undefined;
    if (result === undefined) return undefined;
    const out = (result.data as Float32Array).byteOffset;
    return { value, result, call: this.#callAt(data.byteOffset, out, data.length) };
  }

  #runElsewhere(value: Tensor): Tensor | undefined {
    const data = value.data as Float32Array;
    const result = this.#result.tensor(value.dims);
    if (result === undefined) return this.#runInParts(data, value.dims);
    const input = this.#kernels.scratch(data.length);
    if (input === undefined) return undefined;
    input.set(data);
    this.#normalize(input.byteOffset, (result.data as Float32Array).byteOffset, data.length);
    return result;
  }

  /**
   * Returns undefined, without any effect, if there is no room, or if the value is so small that parts are not needed.
   */
  addAndNormalizeInParts(value: Tensor, addition: Addition, addend?: Tensor): Normalized | undefined {
    const data = value.data as Float32Array;
    if (data.length <= floatsAtOnce || !addition.hasKernel) return undefined;
    this.#prepared = undefined;
    addition.requireOperands(value, addend);
    const other = addend?.data as Float32Array | undefined;
    const normalized = this.#runInParts(data, value.dims, addition, other);
    return normalized && { sum: value, normalized };
  }

  /** The addends are added to `data` itself. */
  #runInParts(
    data: Float32Array,
    dims: readonly number[],
    addition?: Addition,
    addend?: Float32Array,
  ): Tensor | undefined {
    const { memory } = this.#kernels;
    const out = TransientTensor.take(memory, dims);
    if (out === undefined) return undefined;
    const floats = out.data as Float32Array;
    const isDone = inParts(
      this.#kernels,
      this.#parameters.scale.length,
      data,
      addend,
      (part, other, from) => {
        addition?.addInMemory(part, other);
        this.#normalize(part.byteOffset, floats.byteOffset + 4 * from, part.length);
      },
    );
    if (isDone) return out;
    out.release();
    return undefined;
  }

  #normalize(x: number, out: number, count: number): void {
    this.#kernels.make(this.#callAt(x, out, count));
  }

  #callAt(x: number, out: number, count: number): KernelCall {
    const { scale, epsilon, centered } = this.#parameters;
    const { length: width } = scale;
    const parameters = [this.#scale, this.#bias, epsilon, centered] as const;
    return kernelCall("normalize", x, out, count / width, width, ...parameters);
  }
}
