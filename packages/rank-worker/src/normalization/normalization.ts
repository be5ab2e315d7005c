import type { NormalizeStep } from "@ringrank/policy";
import type { Tensor } from "onnxruntime-node";
import type { RankKernels } from "../kernels/rank-kernels.js";
import { tensor } from "../tensors/tensor.js";
import { plainNormalize } from "./plain-normalize.js";

/** One normalization step of a program: by the kernel where there is one, else plainly. */
export class Normalization {
  readonly #parameters: Parameters;
  readonly #kernel: KernelRows | undefined;

  /** @param parameterOf the tensor of a weight that the rank keeps, by name */
  constructor(step: NormalizeStep, parameterOf: (name: string) => Tensor, kernels: RankKernels | undefined) {
    const { epsilon, centered } = step;
    const floats = (name: string): Float32Array => parameterOf(name).data as Float32Array;
    this.#parameters = {
      scale: floats(step.scale),
      bias: step.bias === undefined ? undefined : floats(step.bias),
      epsilon,
      centered,
    };
    this.#kernel = kernels && KernelRows.open(kernels, this.#parameters);
  }

  /** @returns a tensor of the same shape, good until the next call */
  run(value: Tensor): Tensor {
    return this.#kernel?.run(value) ?? this.#runPlainly(value);
  }

  #runPlainly({ data, dims }: Tensor): Tensor {
    const out = new Float32Array(data.length);
    plainNormalize(data as Float32Array, out, this.#parameters);
    return tensor("float32", out, dims);
  }
}

interface Parameters {
  readonly scale: Float32Array;
  readonly bias: Float32Array | undefined;
  readonly epsilon: number;
  readonly centered: boolean;
}

/** Rows that are normalized at once; the results of so few, which decode steps have, lie where sessions see them. */
const rowsAtOnce = 16;

/** Rows by the kernel, with what they are multiplied by and moved by in its memory. */
class KernelRows {
  readonly #kernels: RankKernels;
  readonly #parameters: Parameters;
  readonly #scale: number;
  readonly #bias: number;
  readonly #results: Float32Array;
  #last: Tensor | undefined;

  private constructor(kernels: RankKernels, parameters: Parameters, places: readonly Float32Array[]) {
    const [scale, bias, results] = places;
    this.#kernels = kernels;
    this.#parameters = parameters;
    this.#scale = scale!.byteOffset;
    this.#bias = parameters.bias === undefined ? 0 : bias!.byteOffset;
    this.#results = results!;
  }

  /** Undefined where there is no room. */
  static open(kernels: RankKernels, parameters: Parameters): KernelRows | undefined {
    const { scale, bias } = parameters;
    const { memory } = kernels;
    const places = [
      memory.floats(scale.length),
      memory.floats(bias?.length ?? 0),
      memory.floats(rowsAtOnce * scale.length),
    ].filter((place) => place !== undefined);
    if (places.length < 3) {
      for (const place of places) memory.release(place);
      return undefined;
    }
    places[0]!.set(scale);
    if (bias !== undefined) places[1]!.set(bias);
    return new KernelRows(kernels, parameters, places);
  }

  /** Undefined where there is no room. */
  run(value: Tensor): Tensor | undefined {
    const data = value.data as Float32Array;
    const most = this.#results.length;
    if (data.length > most) return this.#runInParts(data, value.dims);
    const input = this.#kernels.scratch(most);
    if (input === undefined) return undefined;
    input.set(data);
    this.#normalize(input, this.#results, data.length);
    if (this.#last === undefined || !sameSizes(this.#last.dims, value.dims)) {
      this.#last = tensor("float32", this.#results.subarray(0, data.length), value.dims);
    }
    return this.#last;
  }

  #runInParts(data: Float32Array, dims: readonly number[]): Tensor | undefined {
    const most = this.#results.length;
    const part = this.#kernels.scratch(most);
    if (part === undefined) return undefined;
    const out = new Float32Array(data.length);
    for (let from = 0; from < data.length; from += most) {
      const source = data.subarray(from, from + most);
      part.set(source);
      this.#normalize(part, part, source.length);
      out.set(part.subarray(0, source.length), from);
    }
    return tensor("float32", out, dims);
  }

  #normalize(input: Float32Array, out: Float32Array, count: number): void {
    const { scale, epsilon, centered } = this.#parameters;
    const { length: width } = scale;
    this.#kernels.normalize(
      input.byteOffset,
      out.byteOffset,
      count / width,
      width,
      this.#scale,
      this.#bias,
      epsilon,
      centered,
    );
  }
}

function sameSizes(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((size, axis) => size === other[axis]);
}
