import type { ProductKind } from "@ringrank/policy";
import { runsRelaxedSimd } from "@ringrank/webassembly";

/**
 * Which products ranks of this process multiply themselves, so that their programs are to have steps for them. Kernels
 * work on the rank's own thread, where a session shares its work among several; and those for quantized weights need
 * instructions that not every engine has.
 *
 * @param threads of each rank
 */
export function ownProducts(threads: number): readonly ProductKind[] {
  if (threads > 1) return [];
  return runsRelaxedSimd() ? ["float32", "quantized"] : ["float32"];
}
