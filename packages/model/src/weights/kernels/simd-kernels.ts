import { instantiate, type LocalMemory, pageBytes } from "@ringrank/webassembly";
import type { Kernels } from "./kernels.js";

/**
 * The kernels in WebAssembly with 128-bit SIMD, working in `memory`: assembly/, compiled. The first page is theirs.
 *
 * @throws RR_OPTION if the compiled file cannot be read or this engine cannot run it
 */
export function simdKernels(memory: LocalMemory): Kernels {
  return instantiate<Kernels>(memory, file);
}

/** Bytes at the start of a memory that the kernels keep for themselves. */
export const reservedBytes = pageBytes;

/** The same from dist/weights/kernels/ as from src/weights/kernels/, where tests run. */
const file = new URL("../../../dist/kernels.wasm", import.meta.url);
