import type { MessagePort } from "node:worker_threads";

/** Node has had this since 18.1, but its type declarations lack it. */
type RefCounted = MessagePort & { hasRef(): boolean };

/**
 * Resolves once a port is closed, even if it already was. Node only reports this once, by an event to the current
 * listeners.
 */
export function closedPort(port: MessagePort): Promise<void> {
  return new Promise((resolve) => {
    if (isClosed(port as RefCounted)) resolve();
    else port.once("close", () => resolve());
  });
}

/** A closed port cannot be told to keep its thread alive. */
function isClosed(port: RefCounted): boolean {
  if (port.hasRef()) return false;
  port.ref();
  const isOpen = port.hasRef();
  port.unref();
  return !isOpen;
}
