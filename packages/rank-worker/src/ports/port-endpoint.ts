import type { MessagePort } from "node:worker_threads";
import adapter from "comlink/dist/umd/node-adapter.js";

/** comlink's type, whose own declarations use those of browsers. */
export interface Endpoint {
  postMessage(message: unknown, transferred?: unknown[]): void;
  addEventListener(type: string, listener: (message: { data: unknown }) => void): void;
  removeEventListener(type: string, listener: (message: { data: unknown }) => void): void;
  start?: () => void;
}

/** Its declaration describes the same module in another format, whose default export this is. */
const nodeEndpoint = adapter as unknown as typeof adapter.default;

/**
 * A port for comlink, with Node's listeners. comlink could take the port itself, which is an event target too. But the
 * first event that a thread creates for one makes Node 22 and later load their implementation of `fetch`, where the
 * event's class is: some 60 ms of processor time, which every thread would spend. Node's listeners need no event.
 */
export function portEndpoint(port: MessagePort): Endpoint {
  return nodeEndpoint(port);
}
