import {
  type Graph,
  type GraphNode,
  int,
  intAttribute,
  readsOf,
  type Weight,
  withoutUnread,
} from "@ringrank/model";
import { inlineWeight, int64Tensor } from "../graph/constants.js";
import { FreshNames } from "../graph/fresh-names.js";
import { makeNode } from "../graph/make-node.js";
import { operatorName } from "../graph/operator-name.js";
import type { PreparedGraph } from "../preparation/prepare-graph.js";
import { evaluatePair } from "../shapes/index.js";
import { isElementwise, isProduct, isRowwise, Rows } from "./rowwise.js";

/**
 * Skips rows that are not requested. If a graph chooses rows at its end, namely those for which logits are wanted, they
 * are chosen as early as possible: after the last operator that mixes rows, an attention. The rest of the last layer is
 * then computed for one row of a prompt instead of all of them.
 *
 * ```
 *   residual ──────────────── + ── … ── + ── choose       residual ── choose ────────────── + ── … ── +
 *   context ── projection ────┘                      ▶    context ─── choose ── projection ─┘
 * ```
 */
export function chooseRowsEarly(prepared: PreparedGraph): PreparedGraph {
  const choice = prepared.graph.nodes
    .map((node) => findChoice(node, prepared))
    .find((found) => found !== undefined && [...found.nodes].some(isProduct));
  if (choice === undefined) return prepared;
  const graph = new Rewriter(prepared, choice).run();
  const { values: shapes, symbols } = evaluatePair(graph);
  return { graph, shapes, symbols };
}

/** `gather(reshape(x, [-1, width]), chosen)`. */
interface Choice {
  readonly gather: GraphNode;
  readonly reshape: GraphNode;
  /** Name of the chosen indices, a list that the caller passes. */
  readonly chosen: string;
  readonly rows: Rows;
  /** The nodes that compute `x` row by row, and whose results nothing else reads. */
  readonly nodes: ReadonlySet<GraphNode>;
}

function findChoice(gather: GraphNode, { graph, shapes }: PreparedGraph): Choice | undefined {
  if (operatorName(gather) !== "Gather" || intAttribute(gather, "axis", 0) !== 0) return undefined;
  const [flat, chosen] = gather.inputs as [string, string];
  const isList = shapes.get(chosen)?.dims.length === 1;
  if (!isList || !graph.inputs.some(({ name }) => name === chosen)) return undefined;
  const reshape = graph.nodes.find(({ outputs }) => outputs.includes(flat));
  if (reshape === undefined || operatorName(reshape) !== "Reshape") return undefined;
  const rows = Rows.flattened(shapes.get(reshape.inputs[0]!)?.dims, shapes.get(flat)?.dims);
  if (rows === undefined) return undefined;
  const nodes = rowwiseBefore(graph, { gather, reshape }, (node) =>
    isRowwise(node, rows, (name) => shapes.get(name)?.dims),
  );
  return { gather, reshape, chosen, rows, nodes };
}

function rowwiseBefore(
  { nodes, outputs }: Graph,
  { gather, reshape }: Pick<Choice, "gather" | "reshape">,
  isRowwise: (node: GraphNode) => boolean,
): Set<GraphNode> {
  const moved = new Set<GraphNode>();
  /** Read by moved nodes and by nodes that stay. */
  const wanted = new Set<string>();
  const needed = new Set(outputs.map(({ name }) => name));
  for (const node of nodes.toReversed()) {
    const isNeeded = node.outputs.some((name) => needed.has(name));
    const isWanted = node.outputs.some((name) => wanted.has(name));
    if (!isNeeded && isWanted && (node === reshape || isRowwise(node))) moved.add(node);
    const reads = node === gather || moved.has(node) ? wanted : needed;
    for (const name of readsOf(node)) reads.add(name);
  }
  moved.delete(reshape);
  return moved;
}

/** Moves nodes to chosen rows, `[chosen, width]`. Their results need not be chosen from again. */
class Rewriter {
  readonly #prepared: PreparedGraph;
  readonly #choice: Choice;
  readonly #weights: Map<string, Weight>;
  readonly #names: FreshNames;
  /** What moved nodes compute. */
  readonly #made: ReadonlySet<string>;
  /** By value: its chosen rows, and the same value with two axes instead of three. */
  readonly #chosen = new Map<string, string>();
  readonly #matrices = new Map<string, string>();

  constructor(prepared: PreparedGraph, choice: Choice) {
    const { graph } = prepared;
    this.#prepared = prepared;
    this.#choice = choice;
    this.#weights = new Map(graph.weights);
    this.#names = FreshNames.notIn(graph);
    this.#made = new Set([...choice.nodes].flatMap(({ outputs }) => outputs));
  }

  run(): Graph {
    const { graph } = this.#prepared;
    const { gather, reshape, nodes: moved } = this.#choice;
    // Everything moved comes last. So if a node that stays reads a sum that is owed, it is reduced for that node, and
    // rows are chosen from the reduced sum.
    const late = graph.nodes.flatMap((node) => (moved.has(node) ? this.#onChosenRows(node) : []));
    const nodes = graph.nodes.flatMap((node): readonly GraphNode[] => {
      if (node === gather) return late;
      return node === reshape || moved.has(node) ? [] : [node];
    });
    return withoutUnread({ ...graph, nodes, weights: this.#weights });
  }

  /** The node on chosen rows, after the choice of those inputs that have not been chosen from yet. */
  #onChosenRows(node: GraphNode): GraphNode[] {
    const { gather, reshape } = this.#choice;
    const before: GraphNode[] = [];
    const inputs = node.inputs.map((name) => this.#input(name, node, before));
    const outputs = node.outputs.map((name) => (name === reshape.inputs[0] ? gather.outputs[0]! : name));
    const { axis, ...others } = node.attributes;
    const attributes = axis === undefined ? others : { ...others, axis: alongRow };
    return [...before, { ...node, inputs, outputs, attributes }];
  }

  /** @param before takes the nodes that compute the input, if they are new */
  #input(name: string, node: GraphNode, before: GraphNode[]): string {
    if (this.#made.has(name)) return name;
    const dims = this.#prepared.shapes.get(name)?.dims;
    if (this.#choice.rows.has(dims)) {
      if (!this.#chosen.has(name)) before.push(...this.#choose(name));
      return this.#chosen.get(name)!;
    }
    // Operands shared by all rows may keep three axes where they are broadcast.
    if (dims?.length !== 3 || !isElementwise(node)) return name;
    if (!this.#matrices.has(name)) before.push(this.#asMatrix(name));
    return this.#matrices.get(name)!;
  }

  #choose(name: string): GraphNode[] {
    const [flat, some] = ["rows", "chosen"].map((part) => this.#names.after(`${name}·${part}`));
    this.#chosen.set(name, some!);
    const gathered = makeNode("Gather", [flat!, this.#choice.chosen], some!, { axis: int(0) });
    return [this.#flatten(name, flat!), gathered];
  }

  #asMatrix(name: string): GraphNode {
    const matrix = this.#names.after(`${name}·row`);
    this.#matrices.set(name, matrix);
    return this.#flatten(name, matrix);
  }

  #flatten(name: string, output: string): GraphNode {
    const target = this.#names.after(`${output}·sizes`);
    const width = this.#prepared.shapes.get(name)!.dims.at(-1)![0];
    this.#weights.set(target, inlineWeight(int64Tensor([-1, width])));
    return makeNode("Reshape", [name, target], output);
  }
}

/** The same with three axes and with two. */
const alongRow = int(-1);
