import { runsRelaxedSimd } from "@ringrank/webassembly";

/**
 * Whether ranks of this process multiply by quantized weights themselves, so that their programs are to have product
 * steps. Kernels work on the rank's own thread, where a session shares its work among several, and need instructions
 * that not every engine has.
 *
 * @param threads of each rank
 */
export function multipliesItself(threads: number): boolean {
  return threads === 1 && runsRelaxedSimd();
}
