const listenersOf = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `listener` when the signal is aborted; at once, if it already is. A signal gets a single listener of ours,
 * however many calls share it (as when a server ends all of its calls with one signal), because Node warns of a leak if
 * there are more than ten.
 *
 * @returns a function that undoes it
 */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (signal === undefined) return () => {};
  if (signal.aborted) {
    listener();
    return () => {};
  }
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
