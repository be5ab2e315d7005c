import type { GraphNode } from "@ringrank/model";
import { operatorName } from "../rules/table.js";
import { isStatic, type SizePair } from "../shapes/index.js";

/** Contents of small values, at two settings of the symbolic dimensions. */
export type Contents = (value: string) => readonly SizePair[] | undefined;

/**
 * Which values have the same elements in every call. To be the same at two settings is not enough, of what is compared
 * or rounded: no size is 1 at either, yet it may be in a call.
 */
export class SameAtAllSizes {
  readonly #contents: Contents;
  readonly #producers = new Map<string, GraphNode>();
  readonly #trusted = new Map<string, boolean>();

  constructor(contents: Contents) {
    this.#contents = contents;
  }

  /** Nodes are added in an order in which they can run. */
  add(node: GraphNode): void {
    for (const name of node.outputs) this.#producers.set(name, node);
  }

  has(value: string): boolean {
    return this.#isStatic(value) && this.#isTrusted(value);
  }

  #isStatic(value: string): boolean {
    return this.#contents(value)?.every(isStatic) === true;
  }

  /** Whether those elements of a value that are the same at both settings are so in every call. */
  #isTrusted(value: string): boolean {
    const known = this.#trusted.get(value);
    if (known !== undefined) return known;
    const node = this.#producers.get(value);
    // What nothing makes is a constant, and sizes are what two settings tell apart.
    const trusted = node === undefined || sizes.has(operatorName(node)) || this.#isTrustedOf(node, value);
    this.#trusted.set(value, trusted);
    return trusted;
  }

  #isTrustedOf(node: GraphNode, value: string): boolean {
    const inputs = node.inputs.filter((name) => name !== "");
    if (!inputs.every((name) => this.#isTrusted(name))) return false;
    if (inputs.every((name) => this.#isStatic(name)) || passing.has(operatorName(node))) return true;
    // Sizes that are equal at both settings are one size, where two that differ may be equal in another call.
    const isEqual = this.#contents(value)?.every(([first, second]) => first === 1 && second === 1) === true;
    return operatorName(node) === "Equal" && isEqual;
  }
}

const sizes: ReadonlySet<string> = new Set(["Shape", "Size"]);

/** Operators that give elements of their inputs as they are. */
const passing: ReadonlySet<string> = new Set([
  ...["Identity", "Gather", "Slice", "Split", "Concat", "Reshape", "Flatten", "Squeeze", "Unsqueeze"],
  ...["Transpose", "Expand", "Tile"],
]);
