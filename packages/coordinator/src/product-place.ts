import type { ProductPlace } from "@ringrank/policy";
import { multipliesItself } from "@ringrank/rank-worker";
import type { CheckedLoadOptions } from "./options/load-options.js";

/** Where programs of this load have products by quantized weights: apart, for ranks that multiply themselves. */
export function productPlace({ threadsPerRank }: CheckedLoadOptions): ProductPlace {
  return multipliesItself(threadsPerRank) ? "apart" : "within";
}
