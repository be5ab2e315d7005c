import { MessageChannel } from "node:worker_threads";

/**
 * Lets go of an array's memory at once; the array has no elements any more. The engine waits for a collection of
 * garbage otherwise, and meanwhile takes memory for others that no cache has near.
 *
 * What a message transfers is no longer the sender's, and a message to a closed port ends there
 * (https://html.spec.whatwg.org/multipage/web-messaging.html#message-port-post-message-steps).
 */
export function discard(buffer: ArrayBuffer): void {
  closedPort.postMessage(undefined, [buffer]);
}

const { port1: closedPort } = new MessageChannel();
closedPort.close();
