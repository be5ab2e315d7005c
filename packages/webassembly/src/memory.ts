import { RingrankError } from "@ringrank/errors";
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
 * At least `bytes`, zeroed. It must never grow, because growing would detach the arrays on it. Untouched parts only
 * take address space.
 *
 * @throws RR_ADDRESS_SPACE if the system does not provide enough address space; RR_OPTION if Node was started without
 * WebAssembly
 */
export function localMemory(bytes: number): LocalMemory {
  return allocate(bytes, (limits) => new engine.Memory(limits));
}

/**
 * The same for several threads. A SharedArrayBuffer cannot be converted to a WebAssembly.Memory later, so this is one
 * from the start.
 */
export function sharedMemory(bytes: number): SharedMemory {
  return allocate(bytes, (limits) => new engine.Memory({ ...limits, shared: true }));
}

function allocate<Memory>(
  bytes: number,
  make: (limits: { readonly initial: number; readonly maximum: number }) => Memory,
): Memory {
  if (!("WebAssembly" in globalThis)) {
    const message = "expected an engine with WebAssembly, got one without: start Node without --jitless";
    throw new RingrankError("RR_OPTION", message);
  }
  const pages = Math.ceil(bytes / pageBytes);
  try {
    return make({ initial: pages, maximum: pages });
  } catch (cause) {
    throw new RingrankError(
      "RR_ADDRESS_SPACE",
      `expected address space for another WebAssembly memory of ${bytes} bytes, for which the engine reserves about 10 GB ` +
        "of addresses; the system refuses. Raise the limit of the process (ulimit -v), or use fewer ranks",
      { cause },
    );
  }
}
