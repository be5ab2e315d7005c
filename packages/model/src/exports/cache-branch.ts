import type { Graph, GraphNode } from "../graph/graph.js";
import { readsOf } from "../graph/reads-of.js";
import { isIf, takeBranch } from "../graph/take-branch.js";
import { withoutUnread } from "../graph/without-unread.js";
import { takingItsTokens } from "./one-token.js";
import { originOf, producersOf } from "./producers.js";
import { statePairs } from "./state-pairs.js";

/** The two graphs inside a merged decoder. */
export interface CacheBranches {
  /** Continues from a past, which may be empty. */
  readonly withPast: Graph;
  /** Starts a sequence. Has no past. */
  readonly withoutPast: Graph;
}

/**
 * Takes apart a merged decoder: a graph whose every output comes from one `If` on an input of its own
 * (`use_cache_branch`), one branch of which reads the past. Undefined for other graphs.
 */
export function cacheBranches(graph: Graph): CacheBranches | undefined {
  const { pairs, onlyRead } = statePairs(graph);
  const pasts = new Set([...pairs, ...onlyRead].map(({ past }) => past.name));
  const producers = producersOf(graph.nodes);
  const flags = new Set(graph.inputs.filter(({ type }) => type === "bool").map(({ name }) => name));
  const decision = graph.nodes.find((node) => isIf(node) && flags.has(originOf(node.inputs[0]!, producers)));
  if (decision === undefined) return undefined;
  const flag = originOf(decision.inputs[0]!, producers);
  const [yes, no] = (["then_branch", "else_branch"] as const).map((name) =>
    withBranch(graph, decision, flag, name),
  );
  const reads = (one: Graph | undefined): boolean =>
    one?.nodes.some((node) => [...readsOf(node)].some((name) => pasts.has(name))) ?? false;
  if (yes === undefined || no === undefined || reads(yes) === reads(no)) return undefined;
  const [withPast, starting] = reads(yes) ? [yes, no] : [no, yes];
  const withoutPast = { ...starting, inputs: starting.inputs.filter(({ name }) => !pasts.has(name)) };
  return { withPast: takingItsTokens(withPast), withoutPast };
}

function withBranch(
  graph: Graph,
  decision: GraphNode,
  flag: string,
  name: "then_branch" | "else_branch",
): Graph | undefined {
  const taken = takeBranch(decision, name);
  if (taken === undefined) return undefined;
  return withoutUnread({
    ...graph,
    inputs: graph.inputs.filter((input) => input.name !== flag),
    nodes: graph.nodes.flatMap((node) => (node === decision ? taken.nodes : [node])),
    weights: new Map([...graph.weights, ...taken.weights]),
  });
}
