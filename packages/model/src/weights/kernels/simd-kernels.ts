import { instantiate, type LocalMemory, pageBytes } from "@ringrank/webassembly";
import { kernelsFile } from "../kernels-file.js";
import type { Kernels } from "./kernels.js";

/**
 * The kernels in WebAssembly with 128-bit SIMD, working in `memory`, compiled from assembly/. They keep the first page
 * for themselves.
 *
 * @throws RR_OPTION if the compiled file cannot be read or this engine cannot run it
 */
export function simdKernels(memory: LocalMemory): Kernels {
  return instantiate<Kernels>(memory, kernelsFile());
}

/** Bytes at the start of a memory that the kernels keep for themselves. */
export const reservedBytes = pageBytes;
