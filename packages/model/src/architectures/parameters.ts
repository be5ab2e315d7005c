import { RingrankError } from "@ringrank/errors";
import { type ConfigReader, fileSource, type StoredTensor } from "../checkpoint/index.js";
import type { FileSource, GraphBuilder, Value, WeightSource } from "../graph/index.js";
import { sameBytes } from "../weights/same-bytes.js";

/**
 * Finds an architecture's parameters among a checkpoint's tensors, by name and shape, and remembers which were
 * used.
 *
 * Architectures name parameters as the model with its head does (`model.layers.0.…`, `transformer.h.0.…`);
 * checkpoints of the bare model lack the first part of such a name, so both are looked up. Where the model is one
 * module of another, its name stands before or within them.
 */
export class Parameters {
  readonly #g: GraphBuilder;
  readonly #config: ConfigReader;
  readonly #tensors: ReadonlyMap<string, StoredTensor> | undefined;
  readonly #module: string | undefined;
  readonly #used = new Set<string>();

  /**
   * @param tensors undefined where there is a config alone: weights then have the source `absent`
   * @param module the one that holds this model, where the checkpoint is of another around it
   */
  constructor(
    g: GraphBuilder,
    config: ConfigReader,
    tensors: ReadonlyMap<string, StoredTensor> | undefined,
    module?: string,
  ) {
    this.#g = g;
    this.#config = config;
    this.#tensors = tensors;
    this.#module = module;
  }

  /**
   * The parameter as a float32 value of the graph. Asking for the same one twice gives the same value.
   *
   * @param alias what some checkpoints call it
   * @throws RR_TENSOR if the checkpoint has none of this name, or one of another shape; RR_TYPE if it is stored
   * in a type that cannot be used; RR_CONFIG if the shape that the config gives is beyond all bounds.
   */
  get(name: string, dims: readonly number[], alias = name): Value {
    this.#checkSize(name, dims);
    if (this.#tensors === undefined) return this.#weight(name, dims, { kind: "absent" });
    const [found, source] = this.#locate([name, alias], dims, this.#tensors);
    return this.#weight(found, dims, source);
  }

  /**
   * As {@link Parameters.get}, for tensors of one shape that stand apart in the checkpoint and are one value of
   * the graph, `[count, …dims]`.
   *
   * @param nameOf the tensor at each index; at `"*"`, the value's name
   */
  stack(nameOf: (index: number | "*") => string, count: number, dims: readonly number[]): Value {
    const name = nameOf("*");
    const tensors = this.#tensors;
    this.#checkSize(name, [count, ...dims]);
    if (tensors === undefined) return this.#weight(name, [count, ...dims], { kind: "absent" });
    const parts = Array.from(
      { length: count },
      (_, index) => this.#locate([nameOf(index)], dims, tensors)[1],
    );
    return this.#weight(name, [count, ...dims], { kind: "stack", parts });
  }

  /** Whether there is a checkpoint that has this parameter. */
  has(name: string): boolean {
    return this.#storedName(name) !== undefined;
  }

  /** Whether there is a checkpoint that has this parameter in this shape, where versions differ in that. */
  hasShape(name: string, dims: readonly number[]): boolean {
    return this.#stored(name)?.dims.join() === dims.join();
  }

  /**
   * Whether there is a checkpoint, and it has none of these parameters: that of a model without the part they make up.
   */
  lacks(names: readonly string[]): boolean {
    return this.#tensors !== undefined && !names.some((name) => this.has(name));
  }

  /** Says that the graph rightly does without this tensor, should the checkpoint have it. */
  ignore(name: string): void {
    const found = this.#storedName(name);
    if (found !== undefined) this.#used.add(found);
  }

  /**
   * Where to find a parameter that is tied to another. One that is stored all the same is mostly the other once more,
   * and then the graph does without it. If it has other values, config and checkpoint contradict each other, and the
   * checkpoint is right, as in transformers from version 5 on.
   *
   * @returns `to`, or `name` itself
   */
  tied(name: string, to: string): string {
    const own = this.#stored(name);
    const other = this.#stored(to);
    const differs = own && other && (own.dtype !== other.dtype || sameBytes(own, other) === false);
    if (differs) return name;
    this.ignore(name);
    return to;
  }

  /**
   * Names of the checkpoint's tensors that nothing has asked for and that match none of `ignored`. Where the model is
   * one module of another, those beside layers of its own.
   */
  unused(ignored: readonly RegExp[]): string[] {
    const layers = new Set([...this.#used].map(layersOf));
    return [...(this.#tensors?.keys() ?? [])].filter(
      (name) =>
        !this.#used.has(name) &&
        !ignored.some((pattern) => pattern.test(name)) &&
        (this.#module === undefined || layers.has(layersOf(name))),
    );
  }

  /** What a parameter is called in a checkpoint of the model with its head, and in one of the bare model. */
  #namesOf(name: string): readonly string[] {
    const bare = name.slice(name.indexOf(".") + 1);
    const module = this.#module;
    const within =
      module === undefined ? [] : [`${module}.${name}`, `model.${module}.${bare}`, `${module}.${bare}`];
    return [...within, name, bare];
  }

  #storedName(name: string): string | undefined {
    return this.#namesOf(name).find((candidate) => this.#tensors?.has(candidate));
  }

  #stored(name: string): StoredTensor | undefined {
    return this.#tensors?.get(this.#storedName(name) ?? name);
  }

  #checkSize(name: string, dims: readonly number[]): void {
    if (!Number.isSafeInteger(dims.reduce((bytes, dim) => bytes * dim, Float32Array.BYTES_PER_ELEMENT))) {
      throw this.#config.error(
        `its sizes make ${name} a tensor of shape [${dims.join(", ")}], which overflows`,
      );
    }
  }

  /** The tensor's own name, and where it lies. */
  #locate(
    names: readonly string[],
    dims: readonly number[],
    tensors: ReadonlyMap<string, StoredTensor>,
  ): [string, FileSource] {
    const [found, tensor] = this.#find(names, tensors);
    if (tensor.dims.length !== dims.length || tensor.dims.some((dim, axis) => dim !== dims[axis])) {
      throw new RingrankError(
        "RR_TENSOR",
        `expected the tensor ${found} to have the shape [${dims.join(", ")}], according to config.json, got ` +
          `[${tensor.dims.join(", ")}] in ${tensor.file}`,
      );
    }
    this.#used.add(found);
    const source = fileSource(found, tensor);
    if (!floats.has(source.storedAs)) {
      throw new RingrankError(
        "RR_TYPE",
        `expected the tensor ${found} to hold floating-point numbers, got ${source.storedAs} in ${tensor.file}; ` +
          "quantized checkpoints are not supported",
      );
    }
    return [found, source];
  }

  #weight(name: string, dims: readonly number[], source: WeightSource): Value {
    return this.#g.weight(name, { type: "float32", dims, source });
  }

  #find(names: readonly string[], tensors: ReadonlyMap<string, StoredTensor>): [string, StoredTensor] {
    const candidates = names.flatMap((name) => this.#namesOf(name));
    for (const candidate of candidates) {
      const tensor = tensors.get(candidate);
      if (tensor !== undefined) return [candidate, tensor];
    }
    const [name, ...others] = new Set(candidates);
    throw new RingrankError(
      "RR_TENSOR",
      `the checkpoint lacks the tensor ${name} (and has no ${others.join(" or ")}), which config.json requires`,
    );
  }
}

/** What stands before the number of a layer in a tensor's name; the whole name where there is none. */
function layersOf(name: string): string {
  return name.split(/(?<=\.)\d+\./, 1)[0]!;
}

const floats: ReadonlySet<string> = new Set(["float32", "float16", "bfloat16"]);
