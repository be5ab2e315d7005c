import { setFlagsFromString } from "node:v8";
import { engine } from "./engine.js";

/**
 * Node 20's engine runs relaxed SIMD (https://github.com/WebAssembly/relaxed-simd) only with a flag; later ones need
 * none, and do not know it any more.
 */
const relaxedSimdFlags = process.versions.v8.startsWith("11.3.") ? ["--experimental-wasm-relaxed-simd"] : [];

/**
 * The engines of Node 24 and later compile pairs of WebAssembly's 128-bit operations to one of 256 bits, where the
 * processor has AVX2. Node 22's engine knows the flag, too, but does not do it. The flag only exists on x64.
 */
const wideVectorFlags =
  process.arch === "x64" && /^1[34]\./.test(process.versions.v8) ? ["--experimental-wasm-revectorize"] : [];

/**
 * The flags with which this engine runs kernels fastest. They apply to a whole process and must be set before its first
 * kernel, so commands set them, not libraries.
 */
export const kernelFlags: readonly string[] = [...relaxedSimdFlags, ...wideVectorFlags];

/** The environment variable with the id of the process that has set {@link kernelFlags}. Its threads inherit it. */
const setBy = "RINGRANK_KERNEL_FLAGS_SET_BY";

/** Sets {@link kernelFlags} for this process. To be called by commands, before anything runs a kernel. */
export function setKernelFlags(): void {
  for (const flag of kernelFlags) setFlagsFromString(flag);
  process.env[setBy] = `${process.pid}`;
}

/** Whether this engine runs relaxed SIMD with its current flags. */
export function runsRelaxedSimd(): boolean {
  return engine.validate(relaxedModule);
}

/**
 * Whether this engine compiles pairs of 128-bit operations to one of 256 bits, as far as can be told: the process was
 * started with the flag, or has called {@link setKernelFlags}. An engine does not tell its flags.
 */
export function runsWideVectors(): boolean {
  if (wideVectorFlags.length === 0) return false;
  return (
    process.env[setBy] === `${process.pid}` ||
    wideVectorFlags.every((flag) => process.execArgv.includes(flag))
  );
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
