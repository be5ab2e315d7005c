import { readFileSync } from "node:fs";
import { RingrankError } from "@ringrank/errors";
import type { Kernels } from "./kernels.js";

/** A memory of WebAssembly of which nothing is shared. */
export interface KernelMemory {
  readonly buffer: ArrayBuffer;
}

/**
 * The kernels in WebAssembly with 128-bit SIMD, working in `memory`: assembly/, compiled. The first page is theirs.
 *
 * @throws RR_OPTION if the compiled file cannot be read or this engine cannot run it
 */
export function simdKernels(memory: KernelMemory): Kernels {
  return new wasm.Instance(compiled(), { env: { memory } }).exports;
}

/** Bytes at the start of a memory that the kernels keep for themselves: one page of WebAssembly. */
export const reservedBytes = 65_536;

/** Of at least `bytes`, zeroed, which never grows: growing would detach the arrays that lie on it. */
export function kernelMemory(bytes: number): KernelMemory {
  const pages = Math.ceil(bytes / 65_536);
  return new wasm.Memory({ initial: pages, maximum: pages });
}

/** The same from dist/weights/kernels/ as from src/weights/kernels/, where tests run. */
const url = new URL("../../../dist/kernels.wasm", import.meta.url);

/** Compiled at the first use and kept for this thread's next readers. */
let cached: object | undefined;

function compiled(): object {
  if (cached !== undefined) return cached;
  try {
    cached = new wasm.Module(readFileSync(url));
    return cached;
  } catch (cause) {
    throw new RingrankError(
      "RR_OPTION",
      `kernels: expected ${url.href} to hold kernels that this engine runs; ${String(cause)}. Build the package ` +
        `again, or choose kernels: "plain"`,
      { cause },
    );
  }
}

// Node's own type declarations have no WebAssembly.
const { WebAssembly: wasm } = globalThis as unknown as {
  readonly WebAssembly: {
    readonly Module: new (bytes: Uint8Array) => object;
    readonly Memory: new (pages: { readonly initial: number; readonly maximum: number }) => KernelMemory;
    readonly Instance: new (
      module: object,
      imports: { readonly env: { readonly memory: KernelMemory } },
    ) => { readonly exports: Kernels };
  };
};
