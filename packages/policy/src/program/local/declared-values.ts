import { RingrankError } from "@ringrank/errors";
import { keptStates } from "@ringrank/model";
import type { FactoredGraph } from "../../analysis/factored-graph.js";
import type { Plan } from "../../decide/decide.js";
import { sizeOf } from "../../factors/factor.js";
import { isSharded, localIntervals, localSize } from "../../factors/shard.js";
import { sizeProduct } from "../../shapes/index.js";
import { isStatic } from "../../shapes/size-pair.js";
import type { LocalValue, SizeProduct, ValueShard } from "../program.js";

/** Values of the whole graph, in the form in which one rank's program declares them. */
export class DeclaredValues {
  readonly #factored: FactoredGraph;
  readonly #plan: Plan;
  readonly #rank: number;

  constructor(factored: FactoredGraph, plan: Plan, rank: number) {
    this.#factored = factored;
    this.#plan = plan;
    this.#rank = rank;
  }

  declare(name: string): LocalValue {
    // State stays on its rank, and is never gathered.
    const shard = this.isState(name) ? undefined : this.shardOf(name);
    return {
      name,
      type: this.#factored.shapes.get(name)!.type,
      dims: this.sizesOf(name),
      ...(shard === undefined ? {} : { shard }),
    };
  }

  /** Whether it is kept between steps. */
  isState(name: string): boolean {
    return keptStates(this.#factored.graph).some(({ past, present }) => past === name || present === name);
  }

  /** Which elements of the whole a sharded value has. */
  shardOf(name: string): ValueShard | undefined {
    const { shares } = this.#plan;
    const dims = this.#factored.values.get(name)!;
    const axes = dims.flatMap((dim, axis) => (shares.some((share) => isSharded(dim, share)) ? [axis] : []));
    const [axis] = axes;
    if (axis === undefined) return undefined;
    const dim = dims[axis]!;
    if (axes.length > 1 || !isStatic(sizeOf(dim))) {
      throw new RingrankError(
        "RR_GRAPH",
        `${name} is sharded along ${axes.length} axes, or along one of unknown size`,
      );
    }
    return { axis, size: sizeOf(dim)[0], intervals: shares.map((share) => localIntervals(dim, share)) };
  }

  /** Sizes on the rank. */
  sizesOf(name: string): SizeProduct[] {
    const share = this.#plan.shares[this.#rank]!;
    return this.#factored.values.get(name)!.map((dim) => {
      const size = localSize(dim, share);
      return sizeProduct(size, this.#factored.symbols) ?? { scale: size[0], symbols: [] };
    });
  }
}
