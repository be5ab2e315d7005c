import type { GraphNode } from "@ringrank/model";
import type { Evaluated } from "./evaluated.js";
import { NodeContext } from "./node-context.js";

/** By position: 1 if two settings cannot show what other calls have there, else 0. */
export type Marks = readonly number[];

export const none: Marks = [];

/** The parts of a value that are not proven to be what they look like. */
export interface Unproven {
  /** By axis: sizes that are the same at both settings, and may differ in a call. Empty if there are none. */
  readonly dims: Marks;
  /**
   * By element: whether it is not a sum or product of sizes, so that results computed from it may agree at both
   * settings by chance.
   */
  readonly contents: Marks | undefined;
}

/** A value at two settings of the symbolic dimensions. */
export interface Both {
  readonly first: Evaluated;
  readonly second: Evaluated;
}

/** All values at two settings, with the marks that have been found. */
export class ValuesAtBoth {
  readonly unproven = new Map<string, Unproven>();
  /** Values whose elements are sizes, or the same at both settings. Those that differ are never negative. */
  readonly sizes = new Set<string>();
  readonly #first: ReadonlyMap<string, Evaluated>;
  readonly #second: ReadonlyMap<string, Evaluated>;

  constructor(first: ReadonlyMap<string, Evaluated>, second: ReadonlyMap<string, Evaluated>) {
    this.#first = first;
    this.#second = second;
  }

  /** Undefined if one of the settings does not have it. */
  get(name: string): Both | undefined {
    const [first, second] = [this.#first.get(name), this.#second.get(name)];
    return first && second && { first, second };
  }

  /** Whether an element differs between the settings or is marked; true if they are not known. */
  varies(name: string): boolean {
    const { first, second } = this.get(name) ?? {};
    if (first?.contents === undefined || second?.contents?.length !== first.contents.length) return true;
    if (this.unproven.get(name)?.contents?.includes(1)) return true;
    return !first.contents.every((element, at) => isSame(element, second.contents![at]!));
  }

  hasMarks(node: GraphNode): boolean {
    return node.inputs.some((name) => this.unproven.has(name));
  }

  /** A node at the second setting, its inputs changed by their marks. */
  context(
    node: GraphNode,
    index: number,
    change: (value: Evaluated, marks: Unproven | undefined, slot: number) => Evaluated,
  ): NodeContext {
    const inputs = node.inputs.map((name, slot) => {
      const value = this.#second.get(name);
      return value && change(value, this.unproven.get(name), slot);
    });
    return new NodeContext(node, index, inputs);
  }
}

export function isSame(first: number, second: number): boolean {
  return Object.is(first, second);
}
