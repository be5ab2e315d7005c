import { createHash } from "node:crypto";
import type { Graph, Weight } from "@ringrank/model";
import { maxContents } from "../shapes/evaluated.js";
import { isInteger } from "../shapes/numbers.js";

/**
 * A digest of everything that the policy looks at: operators, attributes, edges, shapes, and the integers from which
 * shapes are computed, but no names. Two graphs with the same fingerprint divide into the same factors in the same
 * order, so a policy made for one fits the other.
 */
export function fingerprint(graph: Graph): string {
  const numbers = new Map<string, number>([["", -1]]);
  const numberOf = (name: string): number => {
    const known = numbers.get(name);
    if (known !== undefined) return known;
    numbers.set(name, numbers.size);
    return numbers.size - 1;
  };
  const lines: string[] = [];
  const add = (...parts: readonly unknown[]): void => void lines.push(`${JSON.stringify(parts)}\n`);
  for (const { name, type, dims } of graph.inputs) add("input", numberOf(name), type, dims);
  for (const { opType, domain, inputs, outputs, attributes } of graph.nodes) {
    for (const name of inputs) {
      const weight = graph.weights.get(name);
      if (weight !== undefined && !numbers.has(name))
        add("weight", weight.type, weight.dims, integersOf(weight));
    }
    // Attributes that contain graphs or tensors belong to operators that the policy keeps whole, or reads by their
    // shapes.
    const plain = Object.entries(attributes).filter(([, { kind }]) => kind !== "graph" && kind !== "tensor");
    add(domain, opType, inputs.map(numberOf), outputs.map(numberOf), plain.sort(byKey));
  }
  for (const { name } of graph.outputs) add("output", numberOf(name));
  for (const { states, window } of graph.caches) {
    add(
      "cache",
      window,
      states.map(({ past, present, axis }) => [numberOf(past), numberOf(present), axis]),
    );
  }
  for (const { past, present } of graph.recurrent ?? []) add("state", numberOf(past), numberOf(present));
  return createHash("sha256").update(lines.join("")).digest("hex");
}

/** Integers such as the target of a Reshape, or the start of a Slice; undefined for other weights. */
function integersOf({ type, source }: Weight): string | undefined {
  const isRead = source.kind === "inline" && isInteger(type) && source.data.length <= maxContents;
  return isRead ? source.data.join() : undefined;
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
