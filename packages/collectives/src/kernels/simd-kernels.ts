import { readFileSync } from "node:fs";
import { RingrankError } from "@ringrank/errors";
import type { SharedMemory } from "../group/shared-memory.js";
import type { Kernels, MoveKernel, ReduceKernel } from "./kernels.js";

/**
 * The kernels in WebAssembly with 128-bit SIMD, working on `memory` itself: assembly/kernels.ts, compiled.
 *
 * @throws RR_OPTION if the compiled file cannot be read or this engine cannot run it.
 */
export function simdKernels(memory: SharedMemory): Kernels {
  const { sumFloat32, maxFloat32, sumInt32, maxInt32, move, toHalves, fromHalves, toInt8, fromInt8 } =
    new wasm.Instance(compiled(), {
      env: { memory },
    }).exports;
  return {
    float32: { sum: sumFloat32, max: maxFloat32 },
    int32: { sum: sumInt32, max: maxInt32 },
    move,
    wires: {
      float16: { encode: toHalves, decode: fromHalves },
      int8: { encode: toInt8, decode: fromInt8 },
    },
  };
}

/** The same from dist/kernels/ as from src/kernels/, where tests run. */
const url = new URL("../../dist/kernels.wasm", import.meta.url);

/** Compiled at the first use and kept for this thread's next groups. */
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

interface KernelExports {
  readonly sumFloat32: ReduceKernel;
  readonly maxFloat32: ReduceKernel;
  readonly sumInt32: ReduceKernel;
  readonly maxInt32: ReduceKernel;
  readonly move: MoveKernel;
  readonly toHalves: MoveKernel;
  readonly fromHalves: MoveKernel;
  readonly toInt8: MoveKernel;
  readonly fromInt8: MoveKernel;
}

// Node's own type declarations have no WebAssembly.
const { WebAssembly: wasm } = globalThis as unknown as {
  readonly WebAssembly: {
    readonly Module: new (bytes: Uint8Array) => object;
    readonly Instance: new (
      module: object,
      imports: { readonly env: { readonly memory: SharedMemory } },
    ) => { readonly exports: KernelExports };
  };
};
