import {
  type Graph,
  type GraphNode,
  intAttribute,
  intsAttribute,
  type StoredMatrix,
  toOnnxDataType,
  type Weight,
} from "@ringrank/model";

/** A matrix of floating-point parameters, as a node reads it. */
export interface ConstantMatrix {
  /** Name of the weight that it is, or is derived from. */
  readonly name: string;
  /** As the node reads it. */
  readonly dims: readonly [number, number];
  readonly stored: Omit<StoredMatrix, "transposed">;
  /** Whether the node reads it transposed, compared with how it is stored. */
  readonly turned: boolean;
}

/**
 * Finds the values of a graph that are a stored matrix, possibly transposed, renamed or widened by nodes in between.
 */
export class ConstantMatrices {
  readonly #weights: ReadonlyMap<string, Weight>;
  readonly #producers = new Map<string, GraphNode>();

  constructor({ weights, nodes }: Graph) {
    this.#weights = weights;
    for (const node of nodes) for (const output of node.outputs) this.#producers.set(output, node);
  }

  /** The matrix that a value is; undefined if it is not one. */
  of(value: string): ConstantMatrix | undefined {
    const weight = this.#weights.get(value);
    if (weight !== undefined) return matrixOf(value, weight);
    const node = this.#producers.get(value);
    const source = node && isReading(node) ? this.of(node.inputs[0]!) : undefined;
    if (source === undefined || node!.opType !== "Transpose") return source;
    return { ...source, dims: [source.dims[1], source.dims[0]], turned: !source.turned };
  }
}

/** Whether a node returns the elements of a matrix, possibly in another order. */
function isReading(node: GraphNode): boolean {
  const { opType, domain } = node;
  if (domain !== "") return false;
  if (opType === "Transpose") return `${intsAttribute(node, "perm") ?? [1, 0]}` === "1,0";
  // Matrices are read as float32 to be quantized, whatever they are stored as.
  if (opType === "Cast") return intAttribute(node, "to", 0) === toOnnxDataType("float32");
  return opType === "Identity";
}

function matrixOf(name: string, { dims, source }: Weight): ConstantMatrix | undefined {
  const [first, second, ...others] = dims;
  if (first === undefined || second === undefined || others.length > 0) return undefined;
  if (source.kind !== "file" && source.kind !== "absent") return undefined;
  if (source.kind === "file" && !floatTypes.has(source.storedAs)) return undefined;
  const both = [first, second] as const;
  return { name, dims: both, stored: { dims: both, source }, turned: false };
}

/** Types that are quantized from, as they are stored. */
export const floatTypes: ReadonlySet<string> = new Set(["float32", "float16", "bfloat16"]);
