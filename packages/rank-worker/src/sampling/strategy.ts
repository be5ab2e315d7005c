import type { SamplingParameters } from "../protocol.js";

/** Temperatures below this are greedy: noise of at most 23 · 1e-5 only decides between near-ties. */
const leastTemperature = 1e-5;

/**
 * How a row's token is found:
 * - `greedy`: the largest logit;
 * - `noise`: the largest logit plus noise, over the whole vocabulary;
 * - `filter`: the largest logit plus noise among the most likely, which are gathered from all ranks first.
 */
export type Strategy = "greedy" | "noise" | "filter";

export function strategyOf({ temperature, topK, topP, minP }: SamplingParameters): Strategy {
  if (temperature < leastTemperature) return "greedy";
  return topK === 0 && topP >= 1 && minP === 0 ? "noise" : "filter";
}

/** Whether the sum over the whole vocabulary is needed to know what share the most likely tokens have. */
export function needsTotal(parameters: SamplingParameters): boolean {
  return strategyOf(parameters) === "filter" && parameters.topP < 1 && parameters.topK === 0;
}

/** How many candidates each rank offers at first; {@link widening} raises it until they suffice. */
export function firstLimit(parameters: SamplingParameters): number {
  if (strategyOf(parameters) !== "filter") return 1;
  return parameters.topK === 0 ? 64 : Math.min(parameters.topK, 256);
}

export const widening = 8;
