import type { ProductKind } from "@ringrank/policy";
import { runsRelaxedSimd } from "@ringrank/webassembly";

/**
 * The products that ranks of this process compute themselves, for which their programs need steps. Kernels run on the
 * rank's own thread, while a session shares its work among several. The kernels for quantized weights also need
 * instructions that not every engine supports.
 *
 * @param threads the threads of each rank
 */
export function ownProducts(threads: number): readonly ProductKind[] {
  if (threads > 1) return [];
  return runsRelaxedSimd() ? ["float32", "quantized"] : ["float32"];
}
