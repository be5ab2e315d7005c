import { setFlagsFromString } from "node:v8";

/**
 * Has the engine take kernels that multiply and add in one instruction (WebAssembly's relaxed SIMD). That of Node 20
 * does behind a flag, which holds for the whole process: the command's own. Later ones need none, and no longer know
 * it.
 */
export function enableRelaxedSimd(): void {
  if (process.versions.v8.startsWith("11.3.")) setFlagsFromString("--experimental-wasm-relaxed-simd");
}
