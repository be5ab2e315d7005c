import type { MessagePort } from "node:worker_threads";
import { installErrorTransferHandler, type TransferHandlers } from "./error-transfer.js";
import { type Endpoint, portEndpoint } from "./port-endpoint.js";

/** The parts of comlink that are used; its own declarations use those of browsers. */
interface Comlink {
  readonly transferHandlers: TransferHandlers;
  expose(service: unknown, endpoint: Endpoint): void;
}

/**
 * Makes a service callable from the thread at the port's other end.
 *
 * @param comlink the caller's own: packages are bundled with theirs
 */
export function exposeService(comlink: Comlink, service: object, port: MessagePort): void {
  installErrorTransferHandler(comlink.transferHandlers);
  comlink.expose(service, portEndpoint(port));
}
