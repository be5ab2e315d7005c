/** A shared `WebAssembly.Memory`; Node's own type declarations have none. Survives structured clone. */
export interface SharedMemory {
  readonly buffer: SharedArrayBuffer;
}

/** The unit in which WebAssembly memory is allocated, in bytes. */
const pageBytes = 65_536;

/**
 * At least `bytes` zeroed bytes that no thread can grow: a SharedArrayBuffer cannot become a WebAssembly.Memory
 * later, so this is one from the start, for SIMD kernels to work in.
 */
export function allocateSharedMemory(bytes: number): SharedMemory {
  const pages = Math.ceil(bytes / pageBytes);
  const { WebAssembly } = globalThis as unknown as {
    WebAssembly: {
      Memory: new (descriptor: { initial: number; maximum: number; shared: true }) => SharedMemory;
    };
  };
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}
