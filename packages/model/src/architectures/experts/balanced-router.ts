import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { linear } from "../blocks/projections.js";
import type { ExpertCounts, Routes } from "../blocks/routing.js";

interface BalancedRouter {
  readonly counts: ExpertCounts;
  /** Of the residual stream. */
  readonly width: number;
  /** The scores of experts from router logits, `[rows, experts]` each. */
  readonly score: (logits: Value) => Value;
  /** The router's name within the module. Default `gate`. */
  readonly name?: string;
  /** Name within the module of the bias that balances the load; undefined for none. */
  readonly bias: string | undefined;
  /** The bias's shape, if it is not `[experts]`; with as many elements. */
  readonly biasDims?: readonly number[];
  /** Excludes experts that a row may not go to, `[rows, experts]` to the same. Default: none. */
  readonly restrict?: (scores: Value) => Value;
  /** The routing weights of the chosen experts from their scores, `[rows, perRow]` each. */
  readonly weigh: (scores: Value) => Value;
}

/**
 * Load balancing without an auxiliary loss (https://arxiv.org/abs/2408.15664): experts are chosen by their score plus a
 * learned bias, and weighted by the score alone.
 */
export function balancedRouter(
  context: ModelContext,
  {
    counts,
    width,
    score,
    name = "gate",
    bias,
    biasDims,
    restrict = (scores) => scores,
    weigh,
  }: BalancedRouter,
): (rows: Value, module: string) => Routes {
  const { g, parameters } = context;
  const { experts, perRow } = counts;
  return (rows, module) => {
    const gate = { name: `${module}.${name}`, inputs: width, outputs: experts, bias: false };
    const scores = score(linear(context, rows, gate));
    const balanced =
      bias === undefined ? scores : g.add(scores, parameters.get(`${module}.${bias}`, biasDims ?? [experts]));
    const [, indices] = g.topK(restrict(balanced), perRow);
    return { weights: weigh(g.gatherElements(scores, indices, 1)), indices };
  };
}
