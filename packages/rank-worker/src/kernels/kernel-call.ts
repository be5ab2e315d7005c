import type { KernelExports } from "./kernel-exports.js";

/** Kernels that a {@link KernelCall} can name. A {@link CallList} has their position, as assembly/calls.ts does. */
export const callable = [
  "add",
  "addRow",
  "elementwise",
  "multiply4",
  "multiply8",
  "multiplyBfloats",
  "multiplyFloats",
  "normalize",
  "quantize4",
  "quantize8",
  "splitRows",
] as const;

type Callable = (typeof callable)[number];

/** A kernel, and what it is called with. The work of a step, as data: it can be done now, or again. */
export interface KernelCall {
  readonly kernel: Callable;
  readonly args: readonly (number | boolean)[];
}

export function kernelCall<K extends Callable>(kernel: K, ...args: Parameters<KernelExports[K]>): KernelCall {
  return { kernel, args };
}
