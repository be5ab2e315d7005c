import type { GraphNode } from "@ringrank/model";
import type { FactoredGraph } from "../analysis/propagate.js";
import { isParameter } from "../analysis/roles.js";
import { Wiring } from "../analysis/wiring.js";
import { operatorName } from "../rules/table.js";
import { countsOnce } from "./counted-once.js";
import { neededFor } from "./needed-values.js";
import type { Placement } from "./placement.js";

/**
 * Addends that every rank adds to a sum once it is paid, such as the residual of a layer:
 *
 *     Σ_r (x_r + [r = 0] a)   →   (Σ_r x_r) + a
 *
 * Added on rank 0 before, they would be an operator more in a session of that rank, and an input more, and all other
 * ranks wait for its end.
 */
export interface LateAddends {
  /** By paid sum: its addend, of as many elements in the same order. */
  readonly ofSum: ReadonlyMap<string, string>;
  /** By output of an Add: the operand that it leaves out on every rank. */
  readonly leftOut: ReadonlyMap<string, string>;
}

/** One addend for each sum, at most: a value that every rank has, or computes without a parameter from what it has. */
export function findLateAddends(factored: FactoredGraph, placement: Placement): LateAddends {
  const { graph, shapes } = factored;
  const { paid, partial, largest } = placement;
  const wiring = Wiring.of(factored);
  const onEveryRank = new OnEveryRank(factored, placement, wiring);
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const isOwed = (value: string): boolean => partial.has(value) && !paid.has(value);
  const sizesOf = (value: string): string => JSON.stringify(shapes.get(value)!.dims);

  /** The addend among what `sum` was made of, by sums and by giving the same elements another shape. */
  const find = (sum: string): { readonly addend: string; readonly output: string } | undefined => {
    const index = wiring.producer(sum);
    if (index === undefined) return undefined;
    const { inputs } = wiring.node(index);
    const within = (value: string | undefined) =>
      value !== undefined && isOwed(value) && wiring.soleReader(value) === index ? find(value) : undefined;
    const operator = operatorName(wiring.node(index));
    if (reshaping.has(operator)) return within(inputs[0]);
    if (operator !== "Add") return undefined;
    const addend = inputs.find((name) => !isOwed(name));
    const isWhole = addend !== undefined && sizesOf(addend) === sizesOf(sum);
    if (isWhole && onEveryRank.has(addend)) return { addend, output: sum };
    return within(inputs[0]) ?? within(inputs[1]);
  };

  const ofSum = new Map<string, string>();
  const leftOut = new Map<string, string>();
  for (const sum of paid) {
    // What the caller is given lies where the session put it.
    if (largest.has(sum) || outputs.has(sum) || shapes.get(sum)!.type !== "float32") continue;
    const found = find(sum);
    if (found === undefined) continue;
    ofSum.set(sum, found.addend);
    leftOut.set(found.output, found.addend);
  }
  return { ofSum, leftOut };
}

/** Operators that keep every element, in order, and give it another place. */
const reshaping: ReadonlySet<string> = new Set(["Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity"]);

/** Which values all ranks have, or could have without a weight. */
class OnEveryRank {
  readonly #factored: FactoredGraph;
  readonly #wiring: Wiring;
  /** What a rank needs that has none of the addends that count once. */
  readonly #needed: ReadonlySet<string>;
  readonly #known = new Map<string, boolean>();

  constructor(factored: FactoredGraph, placement: Placement, wiring: Wiring) {
    this.#factored = factored;
    this.#wiring = wiring;
    this.#needed = neededFor(
      factored,
      placement,
      (node, slot) => !countsOnce(factored.nodes[node]!, slot, placement),
    );
  }

  has(value: string): boolean {
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    const found = this.#needed.has(value) || this.#isCheap(value);
    this.#known.set(value, found);
    return found;
  }

  #isCheap(value: string): boolean {
    const weight = this.#factored.graph.weights.get(value);
    if (weight !== undefined) return !isParameter(weight);
    const index = this.#wiring.producer(value);
    if (index === undefined) return false;
    const { inputs }: GraphNode = this.#wiring.node(index);
    return inputs.every((name) => name === "" || this.has(name));
  }
}
