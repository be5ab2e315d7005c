import { engine } from "./engine.js";

/**
 * The flags with which this engine runs relaxed SIMD (https://github.com/WebAssembly/relaxed-simd): Node 20's engine
 * requires one; later ones require none, and do not know it any more. They apply to a whole process and must be set
 * before its first kernel, so commands set them, not libraries.
 */
export const relaxedSimdFlags: readonly string[] = process.versions.v8.startsWith("11.3.")
  ? ["--experimental-wasm-relaxed-simd"]
  : [];

/** Whether this engine runs relaxed SIMD with its current flags. */
export function runsRelaxedSimd(): boolean {
  return engine.validate(relaxedModule);
}

const zero = [0xfd, 0x0c, ...new Array<number>(16).fill(0)];
/** Two v128.const, i16x8.relaxed_dot_i8x16_i7x16_s, drop. */
const body = [0, ...zero, ...zero, 0xfd, 0x92, 0x02, 0x1a, 0x0b];
/** A module with one function, () → (), that uses an instruction of relaxed SIMD. */
const relaxedModule = Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...[1, 4, 1, 0x60, 0, 0],
  ...[3, 2, 1, 0],
  ...[10, 2 + body.length, 1, body.length, ...body],
);
