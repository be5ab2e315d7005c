import { createRequire } from "node:module";
import { localMemory } from "@ringrank/webassembly";

/** Lets other threads that wait for this thread's core run, and returns when it is this thread's turn again. */
export type YieldCore = () => unknown;

/**
 * The system's `sched_yield`, which Node offers to programs made for WASI (wasi_snapshot_preview1), or undefined if
 * Node does not offer it: its permission model refuses all of WASI.
 *
 * A yield costs about a microsecond if nobody waits for the core, and a context switch otherwise. All other ways of
 * waiting in JavaScript go through a lock of the engine, a timer, and a wake-up by another thread.
 */
export function yieldCore(): YieldCore | undefined {
  try {
    const { WASI } = quietly(() => createRequire(import.meta.url)("node:wasi") as typeof import("node:wasi"));
    const wasi = quietly(() => new WASI({ version: "preview1" }));
    // It answers no calls before it knows its program's memory, although this call needs none.
    wasi.initialize({ exports: { memory: localMemory(1) } });
    const { sched_yield: yieldCore } = wasi.wasiImport as { readonly sched_yield: YieldCore };
    return yieldCore;
  } catch {
    // Not an error that anybody could fix: ranks that share cores then sleep.
    return undefined;
  }
}

/**
 * {@link yieldCore}, created at the first call, for ranks that may never need it: its memory takes about 10 GB of
 * address space, which kernels may need more. If Node does not offer it, a call does nothing.
 */
export function lateYieldCore(): YieldCore {
  let made: YieldCore | undefined;
  return () => {
    made ??= yieldCore() ?? (() => {});
    return made();
  };
}

/**
 * Node warns in each process that loads WASI that it is experimental. Nothing here depends on the parts that may
 * change.
 */
function quietly<Result>(load: () => Result): Result {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return load();
  } finally {
    process.emitWarning = emitWarning;
  }
}
