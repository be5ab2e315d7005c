import { RingrankError } from "@ringrank/errors";
import type {
  Attribute,
  Cache,
  ConstantTensor,
  DataType,
  Graph,
  GraphEntry,
  GraphNode,
  RecurrentState,
  SymbolicDim,
  ValueInfo,
  Weight,
} from "./graph.js";

/** A value of the graph that is being built. Its name is final once {@link NodeBuilder.build} has run. */
export interface Value {
  readonly name: string;
}

export interface NodeOptions {
  /** Default: the ONNX domain, `""`. */
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

interface NewNode extends Omit<GraphNode, "inputs" | "outputs"> {
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly Value[];
}

interface NewEntry extends GraphEntry {
  readonly inputs: string[];
  readonly outputs: string[];
}

/** The operator sets that architectures are written in. */
const opsets = { "": 23, "com.microsoft": 1 } as const;

/**
 * Collects nodes in the order in which they are created (which is topological), and gives every value a unique name.
 * {@link GraphBuilder} adds a method per operator.
 */
export class NodeBuilder {
  readonly #inputs: ValueInfo[] = [];
  readonly #outputs: ValueInfo[] = [];
  readonly #nodes: NewNode[] = [];
  readonly #weights = new Map<string, Weight>();
  readonly #weightValues = new Map<string, Value>();
  readonly #caches: Cache[] = [];
  readonly #recurrent: RecurrentState[] = [];
  readonly #entries = new Map<string, NewEntry>();
  /** The entry that new inputs and outputs belong to. */
  #entry: NewEntry | undefined;
  readonly #constants = new Map<string, Value>();
  readonly #names: Set<string>;
  /** Outputs of nodes that have not become graph outputs, and so can still be named. */
  readonly #renamable = new Set<Value>();
  #fresh = 0;

  /** @param taken names used by a larger graph that this one will become part of; its values may be read */
  constructor(taken: Iterable<string> = []) {
    this.#names = new Set(taken);
  }

  /** A value of the larger graph. */
  read(name: string): Value {
    return { name };
  }

  /** Inputs and outputs that `build` creates belong to the entry `name`. Weights may be shared with other entries. */
  entry(name: string, build: () => void): void {
    this.#entry = { inputs: [], outputs: [] };
    this.#entries.set(name, this.#entry);
    build();
    this.#entry = undefined;
  }

  /** A graph input. */
  input(name: string, type: DataType, dims: readonly SymbolicDim[]): Value {
    this.#inputs.push({ name, type, dims });
    this.#entry?.inputs.push(name);
    return { name: this.#claim(name) };
  }

  /** Like {@link NodeBuilder.input}, but the same name returns the same value. */
  sharedInput(name: string, type: DataType, dims: readonly SymbolicDim[]): Value {
    return this.#inputs.some((known) => known.name === name) ? { name } : this.input(name, type, dims);
  }

  /** Makes `value` a graph output of this name. */
  output(name: string, value: Value, type: DataType, dims: readonly SymbolicDim[]): void {
    this.#claim(name);
    this.#outputs.push({ name, type, dims });
    this.#entry?.outputs.push(name);
    if (this.#renamable.delete(value)) {
      (value as { name: string }).name = name;
    } else {
      this.#nodes.push({
        opType: "Identity",
        domain: "",
        inputs: [value],
        outputs: [{ name }],
        attributes: {},
      });
    }
  }

  /** A parameter. The same name returns the same value, which is how weights are tied. */
  weight(name: string, weight: Weight): Value {
    const known = this.#weightValues.get(name);
    if (known !== undefined) return known;
    const value = { name: this.#claim(name) };
    this.#weights.set(name, weight);
    this.#weightValues.set(name, value);
    return value;
  }

  /** A small constant, stored in the graph. Equal constants are one value. */
  constant(tensor: ConstantTensor): Value {
    const key = `${tensor.type}[${tensor.dims}]${tensor.data}`;
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const { type, dims, data } = tensor;
    const value = this.weight(this.#freshName("constant"), { type, dims, source: { kind: "inline", data } });
    this.#constants.set(key, value);
    return value;
  }

  /** int64 `[values.length]`. */
  integers(values: readonly number[]): Value {
    return this.constant({
      type: "int64",
      dims: [values.length],
      data: BigInt64Array.from(values, BigInt),
    });
  }

  /** int64 `[]`. */
  integer(value: number): Value {
    return this.constant({ type: "int64", dims: [], data: BigInt64Array.of(BigInt(value)) });
  }

  /** float32 `dims`, default `[]`. */
  numbers(values: ArrayLike<number>, dims: readonly number[] = []): Value {
    return this.constant({ type: "float32", dims, data: Float32Array.from(values) });
  }

  /** Rows that are kept between steps. Its values are inputs and outputs of the graph. */
  cache(cache: Cache): void {
    this.#caches.push(cache);
  }

  /** A state that each step replaces. Its values are inputs and outputs of the graph. */
  recur(state: RecurrentState): void {
    this.#recurrent.push(state);
  }

  /** A node with one output. `undefined` omits an optional input. */
  node(opType: string, inputs: readonly (Value | undefined)[], options: NodeOptions = {}): Value {
    return this.nodes(opType, inputs, 1, options)[0]!;
  }

  /** A node with `count` outputs. */
  nodes(
    opType: string,
    inputs: readonly (Value | undefined)[],
    count: number,
    { domain = "", attributes = {} }: NodeOptions = {},
  ): Value[] {
    const outputs = Array.from({ length: count }, () => ({ name: "" }));
    for (const output of outputs) this.#renamable.add(output);
    this.#nodes.push({ opType, domain, inputs, outputs, attributes });
    return outputs;
  }

  /** The graph of everything created so far. */
  build(): Graph {
    for (const { opType, outputs } of this.#nodes) {
      for (const output of outputs) {
        if (output.name === "") (output as { name: string }).name = this.#freshName(opType.toLowerCase());
      }
    }
    return {
      opsets,
      inputs: [...this.#inputs],
      outputs: [...this.#outputs],
      nodes: this.#nodes.map((node) => ({
        ...node,
        inputs: node.inputs.map((input) => input?.name ?? ""),
        outputs: node.outputs.map((output) => output.name),
      })),
      weights: new Map(this.#weights),
      caches: [...this.#caches],
      ...(this.#recurrent.length > 0 && { recurrent: [...this.#recurrent] }),
      ...(this.#entries.size > 0 && { entries: Object.fromEntries(this.#entries) }),
    };
  }

  #freshName(hint: string): string {
    let name: string;
    do name = `${hint}_${this.#fresh++}`;
    while (this.#names.has(name));
    return name;
  }

  #claim(name: string): string {
    if (name === "" || this.#names.has(name)) {
      throw new RingrankError(
        "RR_GRAPH",
        `expected a value name that is unique and not empty, got "${name}"`,
      );
    }
    this.#names.add(name);
    return name;
  }
}
