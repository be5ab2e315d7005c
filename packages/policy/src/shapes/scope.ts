import { RingrankError } from "@ringrank/errors";
import type { GraphNode } from "@ringrank/model";
import type { Evaluated } from "./evaluated.js";

/** Values by name, each defined once; a branch of an `If` sees the surrounding ones. */
export class Scope {
  readonly values = new Map<string, Evaluated>();
  readonly #outer: Scope | undefined;

  constructor(outer?: Scope) {
    this.#outer = outer;
  }

  get(name: string): Evaluated | undefined {
    return this.values.get(name) ?? this.#outer?.get(name);
  }

  /** @throws RingrankError RR_GRAPH if the name is taken */
  define(name: string, value: Evaluated): void {
    if (this.values.has(name)) {
      throw new RingrankError(
        "RR_GRAPH",
        `expected each value to be defined once, but ${name} is defined twice`,
      );
    }
    this.values.set(name, value);
  }
}

/** The inputs of a node: undefined for omitted ones. */
export function readInputs(scope: Scope, node: GraphNode, index: number): (Evaluated | undefined)[] {
  return node.inputs.map((name) =>
    name === "" ? undefined : (scope.get(name) ?? missing(node, index, name)),
  );
}

function missing(node: GraphNode, index: number, name: string): never {
  throw new RingrankError(
    "RR_GRAPH",
    `node ${index} (${node.opType}): expected the value ${name} to be an input, a weight or an earlier node's output`,
  );
}
