import type { DataType } from "@ringrank/model";
import type { FactoredGraph, FactoredNode } from "../analysis/factored-graph.js";
import { givenOutputs } from "../analysis/given-outputs.js";
import { appendTo } from "../append-to.js";
import { type Dim, type Factor, resolve, segmentsOf, sizeOf } from "../factors/factor.js";
import { isGather } from "../lowering/own-domain.js";
import { isStatic } from "../shapes/size-pair.js";
import { cheapestCut, type Flow } from "./cheapest-cut.js";

/**
 * Where sums are owed and where they are reduced ("paid"), for one choice of sharded factors. Every value is
 * Replicated, Sharded or Partial (a sum over ranks that is still owed): the R, S and P of GSPMD (Xu et al.,
 * arXiv:2105.04663).
 */
export interface Placement {
  /** Values that are all-reduced, in the order of their producers. Their readers see the whole sum. */
  readonly paid: ReadonlySet<string>;
  /** Values that leave their producer as partial sums, including those in `paid`. */
  readonly partial: ReadonlySet<string>;
  /** Those of `paid` that are a maximum over ranks, not a sum. */
  readonly largest: ReadonlySet<string>;
  /** By gathered value: the sharded value that it is gathered from. */
  readonly gathered: ReadonlyMap<string, string>;
}

/**
 * Contracting a sharded factor leaves a Partial. It passes through anything linear, so parallel attention and
 * feed-forward owe one sum together. It is paid where that is cheapest: as late as possible, but earlier if it would
 * have become several sums by then, or a larger one.
 *
 * @param secondsToPay how long the all-reduce of a value takes
 * @returns undefined if the choice is inadmissible. A sum that runs over sharded and whole segments side by side would
 *   count the whole ones once per rank. A value that is gathered or output, and is sharded along two axes or along one
 *   of unknown size, has no order in which to assemble it. Collectives would round sums in some types.
 */
export function place(
  factored: FactoredGraph,
  chosen: ReadonlySet<Factor>,
  secondsToPay: (value: string) => number,
): Placement | undefined {
  const { nodes, graph, shapes, values } = factored;
  const gathered = new Map<string, string>();
  for (const node of nodes) {
    if (node.contracted.some((dim) => isUnevenlySharded(dim, chosen))) return undefined;
    if (!isGather(node.operator.node)) continue;
    if (!hasOrder(node.inputs[0]!, chosen)) return undefined;
    const { inputs, outputs } = node.operator.node;
    if (node.inputs[0]!.some((dim) => holds(dim, chosen))) gathered.set(outputs[0]!, inputs[0]!);
  }
  if (!givenOutputs(graph).every((name) => hasOrder(values.get(name)!, chosen))) return undefined;
  // Whole numbers of picoseconds add up exactly.
  const costOf = (value: string): number =>
    wide.has(shapes.get(value)!.type) ? Number.POSITIVE_INFINITY : Math.ceil(1e12 * secondsToPay(value));
  const total = (sums: Iterable<string>): number =>
    [...sums].reduce((cost, value) => cost + costOf(value), 0);
  const latest = new PaidSums(factored, chosen, []);
  const cut = cheapestCut(latest.flow(), costOf);
  const earlier = areSame(cut, latest.paid) ? latest : new PaidSums(factored, chosen, cut);
  const { paid, partial, largest } = total(earlier.paid) < total(latest.paid) ? earlier : latest;
  if (total(paid) === Number.POSITIVE_INFINITY) return undefined;
  return { paid, partial, largest, gathered };
}

/**
 * Sums that are paid at the values given, and wherever else a reader needs the whole value.
 *
 * A value is paid once, not once per reader. If a reader turns out to need the whole value, everything that was derived
 * from its partial form is stale, including what was paid of it, so the walk resumes at its producer. It terminates,
 * because nothing before that changes.
 */
class PaidSums {
  /** In the order of their producers. */
  readonly paid: ReadonlySet<string>;
  readonly partial = new Set<string>();
  readonly largest = new Set<string>();
  readonly #factored: FactoredGraph;
  readonly #chosen: ReadonlySet<Factor>;
  readonly #paid: Set<string>;
  readonly #isOwed = (name: string): boolean => this.partial.has(name) && !this.#paid.has(name);

  constructor(factored: FactoredGraph, chosen: ReadonlySet<Factor>, early: Iterable<string>) {
    this.#factored = factored;
    this.#chosen = chosen;
    this.#paid = new Set(early);
    let unpaid = this.#walk(0);
    while (unpaid !== undefined) {
      this.#paid.add(unpaid);
      unpaid = this.#walk(factored.wiring.producer(unpaid)!);
    }
    const place = (name: string): number => factored.wiring.producer(name)!;
    this.paid = new Set([...this.#paid].sort((a, b) => place(a) - place(b)));
  }

  /** How sums get from where they arise to where they are paid. */
  flow(): Flow {
    const sources = new Set<string>();
    const next = new Map<string, string[]>();
    for (const { operator } of this.#factored.nodes) {
      const { inputs, outputs } = operator.node;
      const made = outputs.filter((name) => this.partial.has(name));
      if (made.length === 0) continue;
      const from = new Set(inputs.filter(this.#isOwed));
      if (from.size === 0) for (const name of made) sources.add(name);
      for (const name of from) for (const output of made) appendTo(next, name, output);
    }
    return { sources, sinks: this.paid, next };
  }

  /** Goes through the nodes until one needs a value that is owed, and returns that. */
  #walk(from: number): string | undefined {
    const { nodes, graph } = this.#factored;
    for (let index = from; index < nodes.length; index++) {
      const node = nodes[index]!;
      const { outputs } = node.operator.node;
      for (const output of outputs) this.partial.delete(output);
      const needed = visit(node, this.#chosen, this.#isOwed);
      if (needed.pay !== undefined) return needed.pay;
      const comparesShares = node.compared.some((dim) => holds(dim, this.#chosen));
      if (!needed.owes && !comparesShares) {
        // If its input has been paid in the meantime, nothing is left to pay.
        for (const output of outputs) this.#paid.delete(output);
        continue;
      }
      for (const output of outputs) {
        if (output === "") continue;
        this.partial.add(output);
        // Nothing is linear in a maximum.
        if (comparesShares) this.#paid.add(output);
        if (comparesShares) this.largest.add(output);
      }
    }
    return graph.outputs.find(({ name }) => this.#isOwed(name))?.name;
  }
}

function areSame(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((value) => other.has(value));
}

/** Types with more digits than float32. Sums of types other than float32 and int32 cross in float32. */
const wide: ReadonlySet<DataType> = new Set<DataType>(["float64", "int64", "uint64", "uint32"]);

/** Whether a node's outputs owe a sum, or which of its inputs must be paid before it can run. */
function visit(
  node: FactoredNode,
  chosen: ReadonlySet<Factor>,
  owed: (name: string) => boolean,
): { pay?: string; owes?: boolean } {
  const { operator, linearity, contracted, outputs } = node;
  const names = operator.node.inputs;
  const contracts = contracted.some((dim) => holds(dim, chosen));
  // Nothing is owed for an omitted input.
  const owedSlots = names.flatMap((name, slot) =>
    owed(name) && !node.rule?.unread?.includes(slot) ? [slot] : [],
  );
  const first = names[owedSlots[0]!];
  if (first === undefined) return { owes: contracts };
  const sharded = outputs.some((dims) => dims.some((dim) => holds(dim, chosen)));
  if (sharded || contracts || linearity === undefined) return { pay: first };
  if (linearity.kind === "one") {
    const passes = owedSlots.length === 1 && linearity.slots.includes(owedSlots[0]!);
    return passes ? { owes: true } : { pay: first };
  }
  if (names.every((name) => name === "" || owed(name))) return { owes: true };
  // A sum: an addend that is not owed counts on one rank. The others can only omit it if the rest has the shape of the
  // result.
  const full = outputs[0]!.length;
  const keepsShape = owedSlots.every((slot) => node.inputs[slot]!.length === full && sameShape(node, slot));
  return keepsShape ? { owes: true } : { pay: first };
}

function sameShape({ operator }: FactoredNode, slot: number): boolean {
  const input = operator.inputs[slot]!.dims;
  const output = operator.outputs[0]!.dims;
  return input.every((size, axis) => size[0] === output[axis]![0] && size[1] === output[axis]![1]);
}

/** Whether the ranks' parts of a value are along one axis of known size. */
function hasOrder(dims: readonly Dim[], chosen: ReadonlySet<Factor>): boolean {
  const sharded = dims.filter((dim) => holds(dim, chosen));
  return sharded.length === 0 || (sharded.length === 1 && isStatic(sizeOf(sharded[0]!)));
}

/** Whether `dim` contains one of `chosen`. */
function holds(dim: Dim, chosen: ReadonlySet<Factor>): boolean {
  return resolve(dim).some((factor) => {
    const parts = segmentsOf(factor);
    return parts === undefined ? chosen.has(factor) : parts.some((part) => holds(part, chosen));
  });
}

/** Whether some segments of `dim` contain a chosen factor and others do not. */
function isUnevenlySharded(dim: Dim, chosen: ReadonlySet<Factor>): boolean {
  return holds(dim, chosen) && !everyProductHolds(dim, chosen);
}

function everyProductHolds(dim: Dim, chosen: ReadonlySet<Factor>): boolean {
  return resolve(dim).some((factor) => {
    const parts = segmentsOf(factor);
    return parts === undefined ? chosen.has(factor) : parts.every((part) => everyProductHolds(part, chosen));
  });
}
