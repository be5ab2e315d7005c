import { RingrankError, requireOptions } from "@ringrank/errors";
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

/** The size limit of a group. */
const mostRanks = 64;

function checkChoice(name: string, value: string | undefined, choices: readonly string[]): void {
  if (value === undefined || choices.includes(value)) return;
  throw optionError(`${name}: expected ${choices.join(" or ")}, got ${value}`);
}

function optionError(message: string): RingrankError {
  return new RingrankError("RR_OPTION", message);
}
