import { MessageChannel } from "node:worker_threads";

/**
 * Releases an array's memory at once; the array has no elements afterwards. Otherwise the engine waits for a garbage
 * collection, and in the meantime allocates other memory that is in no cache. Transferring a buffer in a message
 * detaches it, and a message to a closed port is dropped
 * (https://html.spec.whatwg.org/multipage/web-messaging.html#message-port-post-message-steps).
 */
export function discard(buffer: ArrayBuffer): void {
  closed.postMessage(undefined, [buffer]);
}

const { port1: closed } = new MessageChannel();
closed.close();
