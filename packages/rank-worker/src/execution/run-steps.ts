import { TransientTensor } from "../kernels/transient-tensor.js";
import type { PlacedStep } from "./compiled-entry.js";
import type { RunState } from "./steps/compiled-step.js";

/**
 * Runs the first `end` steps in order and drops each value after its last use. With the synchronous binding, no step
 * waits for the event loop, so everything happens in one turn of it.
 */
export async function runSteps(steps: readonly PlacedStep[], end: number, state: RunState): Promise<void> {
  const { table, communicator } = state;
  for (let at = 0; at < end; at++) {
    const { step, drop, meanwhile } = steps[at]!;
    communicator.meanwhile = meanwhile;
    const pending = step.run(state);
    if (pending !== undefined) await pending;
    for (let i = 0; i < drop.length; i++) {
      const value = table[drop[i]!];
      if (value instanceof TransientTensor) value.release();
      table[drop[i]!] = undefined;
    }
  }
  communicator.meanwhile = undefined;
}
