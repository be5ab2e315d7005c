import type { MessagePort } from "node:worker_threads";
import comlink from "comlink";
import { installErrorTransferHandler } from "./error-transfer.js";
import { portEndpoint } from "./port-endpoint.js";

/** Makes a service callable through comlink from the thread at the port's other end. */
export function exposeService(service: object, port: MessagePort): void {
  installErrorTransferHandler(comlink.transferHandlers);
  comlink.expose(service, portEndpoint(port));
}
