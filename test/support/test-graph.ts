import { type Attribute, type DataType, GraphBuilder, type TensorData, type Value } from "@ringrank/model";

export const microsoft = "com.microsoft";

/** Attributes by name: an integer becomes an int, a list of integers ints, text a string; others are explicit. */
export type Attributes = Readonly<Record<string, number | readonly number[] | string | Attribute>>;

/** A graph whose parameters are in no file, so that they may be sharded, but whose contents are known. */
export class TestGraph extends GraphBuilder {
  readonly contents = new Map<string, TensorData>();
  readonly #seed: number;

  constructor(seed = 0) {
    super();
    this.#seed = seed;
  }

  /** float32, uniform in ±`scale`/2. */
  parameter(dims: readonly number[], scale = 1): Value {
    return this.#parameter("float32", dims, (at) => scale * (random(at) - 0.5));
  }

  /** Integers from `low` to `high`. */
  quantized(
    type: "int8" | "uint8" | "int32",
    dims: readonly number[],
    low = type === "uint8" ? 0 : -128,
    high = type === "uint8" ? 255 : 127,
  ): Value {
    return this.#parameter(type, dims, (at) => low + Math.floor(random(at) * (high - low + 1)));
  }

  /** Scales around `scale`. */
  scales(dims: readonly number[], scale: number): Value {
    return this.#parameter("float32", dims, (at) => scale * (0.5 + random(at)));
  }

  /** A node with abbreviated attributes. */
  apply(opType: string, inputs: readonly (Value | undefined)[], attributes: Attributes = {}): Value {
    return this.applyAll(opType, inputs, 1, attributes)[0]!;
  }

  /** `FusedMatMul@com.microsoft` names an operator of another domain. */
  applyAll(
    operator: string,
    inputs: readonly (Value | undefined)[],
    count: number,
    attributes: Attributes = {},
  ): Value[] {
    const [opType = "", domain = ""] = operator.split("@");
    const all = Object.entries(attributes).map(([name, value]) => [name, toAttribute(value)]);
    return this.nodes(opType, inputs, count, { domain, attributes: Object.fromEntries(all) });
  }

  #parameter(type: DataType, dims: readonly number[], element: (at: number) => number): Value {
    const name = `w${this.contents.size}`;
    const count = dims.reduce((product, size) => product * size, 1);
    const first = this.#seed + 1009 * this.contents.size;
    const numbers = Array.from({ length: count }, (_, at) => element(first + at));
    this.contents.set(name, typed(type, numbers));
    return this.weight(name, { type, dims, source: { kind: "absent" } });
  }
}

function toAttribute(value: Attributes[string]): Attribute {
  if (typeof value === "number") return { kind: "int", value };
  if (typeof value === "string") return { kind: "string", value };
  return "kind" in value ? value : { kind: "ints", value };
}

/** Numbers as elements of a data type. */
export function typed(type: DataType, numbers: readonly number[]): TensorData {
  switch (type) {
    case "float32":
      return Float32Array.from(numbers);
    case "int64":
      return BigInt64Array.from(numbers, BigInt);
    case "int32":
      return Int32Array.from(numbers);
    case "int8":
      return Int8Array.from(numbers);
    case "uint8":
    case "bool":
      return Uint8Array.from(numbers);
    default:
      throw new TypeError(`no test needs ${type}`);
  }
}

/** A number in [0, 1) for every position, no two adjacent ones equal (an integer hash: Wellons' lowbias32). */
export function random(place: number): number {
  let x = place + 1;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
}
