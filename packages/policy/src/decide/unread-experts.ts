import type { FactoredGraph } from "../analysis/factored-graph.js";
import type { Roles, WeightUse } from "../analysis/roles.js";
import type { RoutedExperts } from "../analysis/routed-experts.js";
import { type Dim, leavesOf } from "../factors/factor.js";
import { localSize, type RankShare } from "../factors/shard.js";
import { weightBytes } from "./storage.js";

/**
 * Bytes of a rank's experts that a decode step does not read, because its row is routed to few of them. A rank with a
 * part of every expert reads that part of the chosen ones. A rank with whole experts may hold all of the chosen ones,
 * and the others then wait for it.
 */
export class UnreadExperts {
  readonly #stacks: readonly Stack[];

  constructor(factored: FactoredGraph, { uses, experts }: Pick<Roles, "uses" | "experts">) {
    const routed = experts.map((one) => ({
      nodes: new Set(one.body),
      dim: [one.experts],
      chosen: expertsPerRow(factored, one),
    }));
    const inOneNode = factored.nodes.flatMap(({ readInPart }, index) =>
      readInPart.map(({ dim, count }) => ({ nodes: new Set([index]), dim, chosen: count })),
    );
    this.#stacks = [...routed, ...inOneNode].flatMap(({ nodes, dim, chosen }) => {
      const leaves = new Set(leavesOf(dim));
      return uses
        .filter(
          ({ node, dims }) => nodes.has(node) && leavesOf(dims[0] ?? []).some((leaf) => leaves.has(leaf)),
        )
        .map((use) => ({ use, experts: dim, chosen }));
    });
  }

  bytes(share: RankShare): number {
    let unread = 0;
    for (const { use, experts, chosen } of this.#stacks) {
      const held = localSize(experts, share)[0];
      unread += weightBytes([use], share) * (1 - Math.min(1, chosen / held));
    }
    return unread;
  }
}

/** A weight whose first axis is experts, of which the chosen ones are read for a row. */
interface Stack {
  readonly use: WeightUse;
  readonly experts: Dim;
  readonly chosen: number;
}

/**
 * How many experts a row is routed to: the number that the `TopK` behind its routing weights picks; all if there is
 * none.
 */
function expertsPerRow({ nodes, wiring }: FactoredGraph, { weights, experts }: RoutedExperts): number {
  const seen = new Set<string>();
  const pending = [weights];
  let chosen = 0;
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const index = wiring.producer(name);
    if (index === undefined || seen.has(name)) continue;
    seen.add(name);
    const { operator } = nodes[index]!;
    if (operator.node.opType !== "TopK") pending.push(...operator.node.inputs);
    // Groups of experts are also picked by a TopK, further back; the nearest one picks the experts.
    else chosen = Math.max(chosen, operator.outputs[0]?.dims.at(-1)?.[0] ?? 0);
  }
  return chosen === 0 ? experts.size[0] : chosen;
}
