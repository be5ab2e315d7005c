import type { MessagePort } from "node:worker_threads";

/** Node has this since 18.1; its type declarations lack it. */
type RefCounted = MessagePort & { hasRef(): boolean };

/**
 * Resolves once a port is closed, also where it was before: Node says so by an event, once, to whoever listens then.
 */
export function closedPort(port: MessagePort): Promise<void> {
  return new Promise((resolve) => {
    if (isClosed(port as RefCounted)) resolve();
    else port.once("close", () => resolve());
  });
}

/** A port that is closed cannot be told to keep its thread alive. */
function isClosed(port: RefCounted): boolean {
  if (port.hasRef()) return false;
  port.ref();
  const isOpen = port.hasRef();
  port.unref();
  return !isOpen;
}
