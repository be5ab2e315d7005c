import type { Communicator } from "@ringrank/collectives";
import type { CompileContext } from "../compilation/entry-scope.js";
import { ExpertParts } from "../compilation/expert-parts.js";
import type { RunContext } from "../execution/steps/compiled-step.js";
import { Lifecycle, NativeGate } from "../lifecycle.js";
import { StreamedScales } from "../products/quantized/streamed-scales.js";

/** What an entry's steps refer to: what is given, with weights that only products read, and nothing else. */
export function compileContext(given: Partial<CompileContext> = {}): CompileContext {
  return {
    segments: [],
    sessions: [],
    keptWeights: new Map(),
    rowsOf: () => undefined,
    kernelsOf: () => given.kernels,
    streamedScales: new StreamedScales(),
    expertParts: new ExpertParts(() => undefined),
    kernels: undefined,
    attention: undefined,
    ...given,
  };
}

/** The context of a run on this thread. By default, there are no other ranks to communicate with. */
export function runContext(communicator: Partial<Communicator> = { progress() {} }): RunContext {
  return {
    communicator: communicator as Communicator,
    gate: new NativeGate(new Lifecycle(1).buffer, 0),
  };
}
