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
  const graph = rewrite(prepared, choice);
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

/** The moved nodes read chosen rows, `[chosen, width]`; their results need not be chosen from again. */
function rewrite(
  { graph, shapes }: PreparedGraph,
  { gather, reshape, chosen, rows, nodes: moved }: Choice,
): Graph {
  const weights = new Map<string, Weight>(graph.weights);
  const names = FreshNames.notIn(graph);
  const made = new Set([...moved].flatMap(({ outputs }) => outputs));
  const choices = new Map<string, string>();
  const matrices = new Map<string, string>();
  const [result] = gather.outputs as [string];
  // Everything moved comes last. So if a node that stays reads a sum that is owed, it is reduced for that node, and
  // rows are chosen from the reduced sum.
  const late = graph.nodes.flatMap((node) => (moved.has(node) ? chosenFor(node) : []));
  const nodes = graph.nodes.flatMap((node): readonly GraphNode[] => {
    if (node === gather) return late;
    return node === reshape || moved.has(node) ? [] : [node];
  });
  return withoutUnread({ ...graph, nodes, weights });

  /** The node on chosen rows, after the choice of those inputs that have not been chosen from yet. */
  function chosenFor(node: GraphNode): GraphNode[] {
    const before: GraphNode[] = [];
    const once = (made: Map<string, string>, name: string, make: (name: string) => GraphNode[]): string => {
      if (!made.has(name)) before.push(...make(name));
      return made.get(name)!;
    };
    const inputs = node.inputs.map((name) => {
      const dims = shapes.get(name)?.dims;
      if (made.has(name)) return name;
      if (rows.has(dims)) return once(choices, name, choose);
      // Operands shared by all rows may keep three axes where they are broadcast.
      return dims?.length === 3 && isElementwise(node) ? once(matrices, name, asMatrix) : name;
    });
    const outputs = node.outputs.map((name) => (name === reshape.inputs[0] ? result : name));
    const { axis, ...others } = node.attributes;
    const attributes = axis === undefined ? others : { ...others, axis: alongRow };
    return [...before, { ...node, inputs, outputs, attributes }];
  }

  function choose(name: string): GraphNode[] {
    const [flat, some] = ["rows", "chosen"].map((part) => names.after(`${name}·${part}`));
    choices.set(name, some!);
    const gathered = makeNode("Gather", [flat!, chosen], some!, { axis: int(0) });
    return [flatten(name, flat!), gathered];
  }

  function asMatrix(name: string): GraphNode[] {
    const matrix = names.after(`${name}·row`);
    matrices.set(name, matrix);
    return [flatten(name, matrix)];
  }

  function flatten(name: string, output: string): GraphNode {
    const target = names.after(`${output}·sizes`);
    weights.set(target, inlineWeight(int64Tensor([-1, widthOf(name)])));
    return makeNode("Reshape", [name, target], output);
  }

  function widthOf(name: string): number {
    return shapes.get(name)!.dims.at(-1)![0];
  }
}

/** The same with three axes and with two. */
const alongRow = int(-1);
