import { type GraphNode, readsOf } from "@ringrank/model";
import { canInterpret, describeInterpretable } from "./interpretable.js";
import type { SegmentContext } from "./segment.js";

/** The nodes of a stage, in two segments that run one after the other. */
export interface CutNodes {
  readonly apart: readonly GraphNode[];
  readonly rest: readonly GraphNode[];
}

/**
 * Moves nodes that a rank can interpret, and that need nothing of the other nodes, out of a segment with weights: for
 * example positions and masks, out of a segment that looks up tokens. If there are only a few such nodes, the session
 * saves less than an additional step costs.
 */
export function cutInterpretable(nodes: readonly GraphNode[], context: SegmentContext): CutNodes {
  const { shards, values } = context;
  const left = new Set<string>();
  const [apart, rest]: [GraphNode[], GraphNode[]] = [[], []];
  for (const node of nodes) {
    const isApart =
      canInterpret(node, values) && [...readsOf(node)].every((name) => !shards.has(name) && !left.has(name));
    (isApart ? apart : rest).push(node);
    if (!isApart) for (const name of node.outputs) left.add(name);
  }
  const isWorthIt = apart.length >= fewest && rest.length > 0 && areInterpretable(apart, context);
  return isWorthIt ? { apart, rest } : { apart: [], rest: nodes };
}

/** A session's operators cost about 4 µs each; compared with the cost of an additional step. */
const fewest = 6;

/** As a whole, with their constants, and with sizes that do not come from elsewhere. */
function areInterpretable(nodes: readonly GraphNode[], context: SegmentContext): boolean {
  const made = new Set(nodes.flatMap(({ outputs }) => outputs));
  const read = new Set(nodes.flatMap((node) => node.inputs));
  const inputs = [...read].filter((name) => !made.has(name) && !context.constants.has(name));
  return describeInterpretable(nodes, { inputs, outputs: [] }, context) !== undefined;
}
