import { RingrankError } from "@ringrank/errors";
import { type ConfigReader, fileSource, type StoredTensor } from "../checkpoint/index.js";
import type { FileSource, GraphBuilder, Value, WeightSource } from "../graph/index.js";
import { sameBytes } from "../weights/same-bytes.js";

/**
 * Finds an architecture's parameters among a checkpoint's tensors, by name and shape, and remembers which were used.
 *
 * Architectures name parameters as the model with its head does (`model.layers.0.…`, `transformer.h.0.…`). Checkpoints
 * of the bare model lack the first part of such a name, so both are looked up. If the model is a module of another one,
 * the module's name is before or within them.
 */
export class Parameters {
  readonly #g: GraphBuilder;
  readonly #config: ConfigReader;
  readonly #tensors: ReadonlyMap<string, StoredTensor> | undefined;
  readonly #module: string | undefined;
  readonly #used = new Set<string>();

  /**
   * @param tensors undefined if there is only a config: weights then have the source `absent`
   * @param module the module that contains this model, if the checkpoint is of a larger one
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
   * The parameter as a float32 value of the graph. Requesting the same one twice returns the same value.
   *
   * @param alias its name in some checkpoints
   * @throws RR_TENSOR if the checkpoint has none with this name, or one with another shape; RR_TYPE if it is stored in
   * a type that cannot be used; RR_CONFIG if its shape in the config is beyond all bounds
   */
  get(name: string, dims: readonly number[], alias = name): Value {
    this.#checkSize(name, dims);
    if (this.#tensors === undefined) return this.#weight(name, dims, { kind: "absent" });
    const [found, source] = this.#locate([name, alias], dims, this.#tensors);
    return this.#weight(found, dims, source);
  }

  /**
   * Like {@link Parameters.get}, for tensors of equal shape that are separate in the checkpoint and one value of the
   * graph, `[count, …dims]`.
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

  /** Whether the model is a module of a larger one. */
  get areOfModule(): boolean {
    return this.#module !== undefined;
  }

  /** Whether there is a checkpoint that has this parameter. */
  has(name: string): boolean {
    return this.#storedName(name) !== undefined;
  }

  /** Whether there is a checkpoint that has this parameter in this shape, which may differ between versions. */
  hasShape(name: string, dims: readonly number[]): boolean {
    return this.#stored(name)?.dims.join() === dims.join();
  }

  /**
   * Whether there is a checkpoint, and it has none of these parameters, because its model lacks the part that they
   * belong to.
   */
  lacks(names: readonly string[]): boolean {
    return this.#tensors !== undefined && !names.some((name) => this.has(name));
  }

  /** Declares that the graph does not need this tensor, in case the checkpoint has it. */
  ignore(name: string): void {
    const found = this.#storedName(name);
    if (found !== undefined) this.#used.add(found);
  }

  /**
   * The name under which to find a parameter that is tied to another. If it is stored anyway, it is usually a copy of
   * the other, which the graph does not need. If it has other values, config and checkpoint contradict each other, and
   * the checkpoint wins, as in transformers from version 5 on.
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
   * Names of the checkpoint's tensors that have not been requested and match none of `ignored`. If the model is a
   * module of another one, only those next to its own layers.
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

  /** A parameter's names in a checkpoint of the model with its head, and in one of the bare model. */
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

  /** The tensor's own name, and its location. */
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

/** The part before the layer number in a tensor's name; the whole name if there is none. */
function layersOf(name: string): string {
  return name.split(/(?<=\.)\d+\./, 1)[0]!;
}

const floats: ReadonlySet<string> = new Set(["float32", "float16", "bfloat16"]);
