import type { ProductPlace } from "@ringrank/policy";
import { multipliesItself } from "@ringrank/rank-worker";
import type { CheckedLoadOptions } from "./options/load-options.js";

/**
 * Where programs of this load have products by quantized weights: apart, for ranks that multiply themselves. In int8 the
 * runtime does: on processors whose integer instructions are 512 bits wide, kernels of 128 bits take 1.1 times as long
 * for a token, and prompts 1.1 to 1.5 times.
 */
export function productPlace({ threadsPerRank }: CheckedLoadOptions): ProductPlace {
  return multipliesItself(threadsPerRank) ? "apart" : "within";
}
