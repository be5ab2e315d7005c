import type { ConfigReader } from "../../checkpoint/index.js";
import type { GraphBuilder, Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { linear } from "./projections.js";

/** How many experts there are, and how many of them each row goes to. */
export interface ExpertCounts {
  readonly experts: number;
  readonly perRow: number;
}

/**
 * @param defaultPerRow used if the config does not say; default: the config must say
 * @throws RR_CONFIG if rows would go to more experts than there are
 */
export function expertCounts({ config }: ModelContext, defaultPerRow?: number): ExpertCounts {
  const names = ["num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts"];
  const experts = sameInAllLayers(config, names) ?? config.integer(names);
  const perRowNames = ["num_experts_per_tok", "moe_k", "moe_topk", "top_k_experts"];
  const perRow = sameInAllLayers(config, perRowNames) ?? defaultPerRow ?? config.integer(perRowNames);
  if (perRow > experts) {
    throw config.error(`expected ${quoted(perRowNames)} to be at most the ${experts} experts, got ${perRow}`);
  }
  return { experts, perRow };
}

/** A setting that a config may give once or as a list for all layers, which must be equal. */
function sameInAllLayers(config: ConfigReader, names: readonly string[]): number | undefined {
  const [first, ...others] = config.optionalIntegers(names, { max: 2 ** 16 }) ?? [];
  if (others.every((other) => other === first)) return first;
  throw config.error(`expected ${quoted(names)} to be the same in all layers`);
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(" or ");
}

/** The experts that each row goes to, `[rows, perRow]` each. */
export interface Routes {
  /** Their routing weights, float32. */
  readonly weights: Value;
  /** int64. */
  readonly indices: Value;
  /** Multiplies a row before its experts read it, float32 `[rows, 1]`. Default: nothing. */
  readonly growth?: Value;
}

interface SoftmaxRouter {
  readonly counts: ExpertCounts;
  /** Of the residual stream. */
  readonly width: number;
  /** Whether the weights of the chosen experts sum to 1. */
  readonly normalize: boolean;
  /** The router's name within the module. Default `gate`. */
  readonly name?: string;
  /** Default false. */
  readonly bias?: boolean;
}

/** Top-k routing: the experts with the largest router logits, weighted by softmax. */
export function softmaxRouter(
  context: ModelContext,
  { counts, width, normalize, name = "gate", bias = false }: SoftmaxRouter,
): (rows: Value, module: string) => Routes {
  const { g } = context;
  return (rows, module) => {
    const router = { name: `${module}.${name}`, inputs: width, outputs: counts.experts, bias };
    const logits = linear(context, rows, router);
    // Normalized weights are the softmax over the chosen experts only.
    const [values, indices] = g.topK(normalize ? logits : g.softmax(logits), counts.perRow);
    return { weights: normalize ? g.softmax(values) : values, indices };
  };
}

/** A one-hot encoding, bool `[rows, chosen, count]`, of int64 indices `[rows, chosen]`. */
export function isIndex(g: GraphBuilder, indices: Value, count: number): Value {
  const numbers = g.integers(Array.from({ length: count }, (_, number) => number));
  return g.equal(g.unsqueeze(indices, [2]), numbers);
}

/**
 * The routing weight of every expert in every row, `[rows, experts]`: exactly 0 if the row does not go to it.
 *
 * ```
 *   Σ over the row's routes:  weight where index = expert, else 0
 * ```
 */
export function denseWeights(g: GraphBuilder, { weights, indices }: Routes, experts: number): Value {
  const perRoute = g.where(isIndex(g, indices, experts), g.unsqueeze(weights, [2]), g.numbers([0]));
  return g.squeeze(g.reduceSum(perRoute, [1]), [1]);
}
