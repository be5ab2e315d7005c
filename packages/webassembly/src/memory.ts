import { engine } from "./engine.js";

/** The unit in which memory is allocated, in bytes. */
export const pageBytes = 65_536;

/** A memory of one thread: a view on it can be a tensor of ONNX Runtime. */
export interface LocalMemory {
  readonly buffer: ArrayBuffer;
}

/** A memory of several threads. Structured clone carries it from one to another. */
export interface SharedMemory {
  readonly buffer: SharedArrayBuffer;
}

/**
 * At least `bytes`, zeroed, which nobody grows: growing would detach the arrays that lie on it. What is never touched
 * takes no room but addresses.
 *
 * @throws RangeError where the system does not give so many addresses
 */
export function localMemory(bytes: number): LocalMemory {
  const pages = Math.ceil(bytes / pageBytes);
  return new engine.Memory({ initial: pages, maximum: pages });
}

/**
 * Likewise, for several threads. A SharedArrayBuffer cannot become a WebAssembly.Memory later, so this is one from the
 * start.
 */
export function sharedMemory(bytes: number): SharedMemory {
  const pages = Math.ceil(bytes / pageBytes);
  return new engine.Memory({ initial: pages, maximum: pages, shared: true });
}
