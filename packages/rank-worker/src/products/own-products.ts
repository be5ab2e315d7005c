import type { ProductKind } from "@ringrank/policy";
import { runsRelaxedSimd } from "@ringrank/webassembly";

/**
 * The products that ranks of this process compute themselves, for which their programs need steps. Kernels run on the
 * rank's own thread, while a session shares its work among several. Without instructions that not every engine
 * supports, the kernels for quantized weights are slower than a session. But a session has to be fed the matrices of
 * experts, and then dequantizes all of them in each run, which takes much longer than the kernels do.
 *
 * @param threads the threads of each rank
 */
export function ownProducts(threads: number): readonly ProductKind[] {
  if (threads > 1) return ["experts"];
  return runsRelaxedSimd() ? ["experts", "float32", "quantized"] : ["experts", "float32"];
}
