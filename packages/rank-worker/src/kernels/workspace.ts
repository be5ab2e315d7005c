import type { KernelMemory } from "./kernel-memory.js";

/** Memory for one step: the kernels' memory while there is room, released when the step ends. */
export class Workspace {
  readonly #memory: KernelMemory | undefined;
  readonly #taken: Float32Array[] = [];

  /** @param memory without it, everything is in ordinary memory */
  constructor(memory: KernelMemory | undefined) {
    this.#memory = memory;
  }

  /** Allocates floats with arbitrary contents. */
  floats(count: number): Float32Array {
    const floats = this.#memory?.unclearedFloats(count);
    if (floats === undefined) return new Float32Array(count);
    this.#taken.push(floats);
    return floats;
  }

  /** `data` in the kernels' memory: a copy, unless it is already there. */
  near(data: Float32Array): Float32Array {
    if (this.#memory === undefined || this.#memory.holds(data)) return data;
    const copy = this.floats(data.length);
    copy.set(data);
    return copy;
  }

  release(): void {
    for (const floats of this.#taken.splice(0)) this.#memory!.release(floats);
  }
}
