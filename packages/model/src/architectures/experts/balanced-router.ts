import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { linear } from "../blocks/projections.js";
import type { ExpertCounts, Routes } from "../blocks/routing.js";

interface BalancedRouter {
  readonly counts: ExpertCounts;
  /** Of the residual stream. */
  readonly width: number;
  /** What experts are worth to a row, of the router's logits, `[rows, experts]` each. */
  readonly score: (logits: Value) => Value;
  /** Of the router, within the module. Default `gate`. */
  readonly name?: string;
  /** Of the tensor that evens out the load, within the module. */
  readonly bias: string;
  /** Its shape, where that is another of as many elements as there are experts. */
  readonly biasDims?: readonly number[];
  /** Puts those that a row may not go to out of the running, `[rows, experts]` to the same. Default: none. */
  readonly restrict?: (scores: Value) => Value;
  /** What the chosen count for, of their scores, `[rows, perRow]` each. */
  readonly weigh: (scores: Value) => Value;
}

/**
 * Experts are chosen by their score plus a bias that evens out their load, and count for their score alone
 * (https://arxiv.org/abs/2408.15664).
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
    const correction = parameters.get(`${module}.${bias}`, biasDims ?? [experts]);
    const [, indices] = g.topK(restrict(g.add(scores, correction)), perRow);
    return { weights: weigh(g.gatherElements(scores, indices, 1)), indices };
  };
}
