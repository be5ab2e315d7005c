import type { FactoredGraph } from "../analysis/factored-graph.js";
import type { Role, Roles, WeightUse } from "../analysis/roles.js";
import { appendTo } from "../append-to.js";
import { type Factor, leavesOf } from "../factors/factor.js";
import { type ReferenceStep, secondsOfCollective, secondsToRead } from "./cost.js";
import { evenShareOf } from "./share.js";
import { bytesKept } from "./storage.js";

/**
 * Estimates of what it is worth to shard one role, without the rest of the graph. They need no placement, so they exist
 * for a role that can only be sharded together with another one, and take no longer in a larger graph.
 */
export class RoleGains {
  readonly #factored: FactoredGraph;
  readonly #holders: Roles["holders"];
  readonly #weights: ReadonlyMap<string, readonly WeightUse[]>;
  readonly #step: ReferenceStep;
  readonly #ranks: number;
  /** By factor: the nodes that sum over it. */
  readonly #sums = new Map<Factor, number[]>();

  constructor(
    factored: FactoredGraph,
    { holders }: Roles,
    weights: ReadonlyMap<string, readonly WeightUse[]>,
    step: ReferenceStep,
    ranks: number,
  ) {
    this.#factored = factored;
    this.#holders = holders;
    this.#weights = weights;
    this.#step = step;
    this.#ranks = ranks;
    for (const [index, { contracted }] of factored.nodes.entries())
      for (const factor of new Set(contracted.flatMap(leavesOf))) appendTo(this.#sums, factor, index);
  }

  /** Parameter bytes that a rank need not keep, if units could be cut. */
  bytes(role: Role): number {
    const names = new Set(
      role.factors.flatMap((factor) => this.#holders.get(factor)!.map(({ name }) => name)),
    );
    const held = new Map([...names].map((name) => [name, this.#weights.get(name)!]));
    return bytesKept(held, new Map()) - bytesKept(held, evenShareOf([role], this.#ranks));
  }

  /** Seconds that a rank need not read, less those that it takes to reduce every sum over the role by itself. */
  seconds(role: Role): number {
    const sums = new Set(role.factors.flatMap((factor) => this.#sums.get(factor) ?? []));
    let seconds = secondsToRead(this.bytes(role));
    for (const index of sums) {
      const { outputs } = this.#factored.nodes[index]!.operator.node;
      seconds -= secondsOfCollective(this.#step.bytesOf(outputs[0]!));
    }
    return seconds;
  }
}
