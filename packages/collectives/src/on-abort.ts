const listenersOf = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `listener` when the signal is aborted; never, where it is already. A signal gets one listener of ours, however
 * many calls share it, as a server's do that all end with it: of more than ten, Node warns as of a leak.
 *
 * @returns undoes it
 */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (signal === undefined || signal.aborted) return () => {};
  const listeners = listenersOf.get(signal) ?? new Set();
  listenersOf.set(signal, listeners);
  listeners.add(listener);
  signal.addEventListener("abort", tellAll);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) signal.removeEventListener("abort", tellAll);
  };
}

function tellAll({ target }: Event): void {
  for (const listener of listenersOf.get(target as AbortSignal) ?? []) listener();
}
