import { createRequire } from "node:module";
import { localMemory } from "@ringrank/webassembly";

/** Lets whatever else waits for this thread's core have it, and returns when it is this thread's turn again. */
export type YieldCore = () => unknown;

/**
 * The system's `sched_yield`, which Node has for programs made for WASI (wasi_snapshot_preview1), or nothing where Node
 * does not give it: its permission model refuses all of WASI.
 *
 * A yield costs about a microsecond where nobody waits for the core, and a switch of threads where somebody does. All
 * other waiting that JavaScript has goes through one lock of the engine, a timer and a wake by another thread.
 */
export function yieldCore(): YieldCore | undefined {
  try {
    const { WASI } = quietly(() => createRequire(import.meta.url)("node:wasi") as typeof import("node:wasi"));
    const wasi = quietly(() => new WASI({ version: "preview1" }));
    // It answers no call before it knows its program's memory, though this call needs none.
    wasi.initialize({ exports: { memory: localMemory(1) } });
    const { sched_yield: yieldCore } = wasi.wasiImport as { readonly sched_yield: YieldCore };
    return yieldCore;
  } catch {
    // Not an error that anybody could do something about: ranks that share cores then sleep.
    return undefined;
  }
}

/**
 * {@link yieldCore} for those who may never call it: its memory takes some 10 GB of addresses, which kernels may need
 * more, so it is made at the first call. Where Node does not give it, a call does nothing.
 */
export function lateYieldCore(): YieldCore {
  let made: YieldCore | undefined;
  return () => {
    made ??= yieldCore() ?? (() => {});
    return made();
  };
}

/** Node warns each process that loads it that WASI is an experiment. Nothing here depends on what may change of it. */
function quietly<Result>(load: () => Result): Result {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return load();
  } finally {
    process.emitWarning = emitWarning;
  }
}
