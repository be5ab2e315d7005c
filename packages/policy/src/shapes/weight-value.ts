import type { DataType, TensorData, Weight } from "@ringrank/model";
import { type Evaluated, hasContents } from "./evaluated.js";
import { toNumbers } from "./numbers.js";

/** A constant of the graph, whose contents are converted on first use: most weights are never used. */
export class WeightValue implements Evaluated {
  readonly type: DataType;
  readonly dims: readonly number[];
  #data: TensorData | undefined;
  #contents: readonly number[] | undefined;

  constructor({ type, dims, source }: Weight) {
    this.type = type;
    this.dims = dims;
    this.#data = source.kind === "inline" && hasContents(type, dims) ? source.data : undefined;
  }

  get contents(): readonly number[] | undefined {
    if (this.#data !== undefined) {
      this.#contents = toNumbers(this.#data);
      this.#data = undefined;
    }
    return this.#contents;
  }
}
