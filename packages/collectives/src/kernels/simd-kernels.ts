import { instantiate, type SharedMemory } from "@ringrank/webassembly";
import type { Kernels, MoveKernel, OfferKernel, ReduceAllKernel, ReduceKernel } from "./kernels.js";

/**
 * The kernels in WebAssembly with 128-bit SIMD, working on `memory` itself: assembly/kernels.ts, compiled.
 *
 * @throws RR_OPTION if the compiled file cannot be read or this engine cannot run it.
 */
export function simdKernels(memory: SharedMemory): Kernels {
  const exports = instantiate<KernelExports>(memory, file());
  const { sumFloat32, maxFloat32, sumInt32, maxInt32, move, offer } = exports;
  const { sumAllFloat32, maxAllFloat32, sumAllInt32, maxAllInt32 } = exports;
  const { toHalves, fromHalves, toInt8, fromInt8 } = exports;
  return {
    float32: { sum: sumFloat32, max: maxFloat32 },
    int32: { sum: sumInt32, max: maxInt32 },
    all: {
      float32: { sum: sumAllFloat32, max: maxAllFloat32 },
      int32: { sum: sumAllInt32, max: maxAllInt32 },
    },
    move,
    offer,
    wires: {
      float16: { encode: toHalves, decode: fromHalves },
      int8: { encode: toInt8, decode: fromInt8 },
    },
  };
}

/** The path is the same from dist/bundle/ as from src/kernels/, where tests run. */
const file = (): URL => new URL("../../dist/kernels.wasm", import.meta.url);

interface KernelExports {
  readonly sumFloat32: ReduceKernel;
  readonly maxFloat32: ReduceKernel;
  readonly sumInt32: ReduceKernel;
  readonly maxInt32: ReduceKernel;
  readonly sumAllFloat32: ReduceAllKernel;
  readonly maxAllFloat32: ReduceAllKernel;
  readonly sumAllInt32: ReduceAllKernel;
  readonly maxAllInt32: ReduceAllKernel;
  readonly move: MoveKernel;
  readonly offer: OfferKernel;
  readonly toHalves: MoveKernel;
  readonly fromHalves: MoveKernel;
  readonly toInt8: MoveKernel;
  readonly fromInt8: MoveKernel;
}
