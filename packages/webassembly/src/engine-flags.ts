/**
 * The flags with which this engine runs relaxed SIMD (https://github.com/WebAssembly/relaxed-simd): that of Node 20
 * wants one, later ones none, and no longer know it. They hold for a whole process and before its first kernel, so they
 * are for commands, not for libraries, to set.
 */
export const relaxedSimdFlags: readonly string[] = process.versions.v8.startsWith("11.3.")
  ? ["--experimental-wasm-relaxed-simd"]
  : [];
