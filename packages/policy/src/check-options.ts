import { RingrankError, requireOptions, show } from "@ringrank/errors";
import type { Graph } from "@ringrank/model";
import { objectives } from "./decide/objective.js";
import type { PlanOptions, ProgramOptions } from "./plan.js";
import { activationPrecisions, weightPrecisions } from "./precision/precision.js";
import { productKinds } from "./program/stages/matrix-product.js";

/**
 * Refuses unknown options, because a misspelt option would otherwise be silently ignored.
 *
 * @throws RingrankError RR_RANKS, RR_OPTION
 */
export function checkPlanOptions(options: PlanOptions): void {
  requireOptions(options, ["ranks", "objective", "memoryPerRank", "precision", "activations"]);
  checkRanks(options.ranks);
  checkChoice("objective", options.objective, objectives);
  checkChoice("precision", options.precision, weightPrecisions);
  checkChoice("activations", options.activations, activationPrecisions);
  const { precision = "float32", activations, memoryPerRank = Number.POSITIVE_INFINITY } = options;
  if (activations === "int8" && precision === "float32") {
    throw optionError("activations: int8 requires quantized weights; also set precision to int8 or int4");
  }
  if (typeof memoryPerRank === "number" && memoryPerRank > 0) return;
  throw optionError(`memoryPerRank: expected a number of bytes above 0, got ${memoryPerRank}`);
}

/**
 * Does the same as {@link checkPlanOptions} for the options of `buildPrograms`.
 *
 * @throws RingrankError RR_OPTION
 */
export function checkProgramOptions(options: ProgramOptions): void {
  requireOptions(options, ["products"]);
  const { products = [] } = options;
  if (!Array.isArray(products)) throw optionError(`products: expected an array of kinds, got ${products}`);
  for (const kind of products) checkChoice("products", kind, productKinds);
}

/** @throws RingrankError RR_RANKS */
export function checkRanks(ranks: number): void {
  if (Number.isInteger(ranks) && ranks >= 1 && ranks <= mostRanks) return;
  throw new RingrankError("RR_RANKS", `expected ranks to be an integer from 1 to ${mostRanks}, got ${ranks}`);
}

/**
 * Refuses what is no graph at all. A graph that is malformed is found out later.
 *
 * @throws RingrankError RR_GRAPH
 */
export function requireGraph(graph: Graph): void {
  const parts: Partial<Graph> | null | undefined = graph;
  if (Array.isArray(parts?.nodes) && Array.isArray(parts.inputs) && parts.weights instanceof Map) return;
  throw new RingrankError(
    "RR_GRAPH",
    `expected a Graph, such as buildGraph and openExport return and GraphBuilder builds; got ${show(graph)}`,
  );
}

/** The size limit of a group. */
const mostRanks = 64;

function checkChoice(name: string, value: string | undefined, choices: readonly string[]): void {
  if (value === undefined || choices.includes(value)) return;
  throw optionError(`${name}: expected ${choices.join(" or ")}, got ${value}`);
}

function optionError(message: string): RingrankError {
  return new RingrankError("RR_OPTION", message);
}
