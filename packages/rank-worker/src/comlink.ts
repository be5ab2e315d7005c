/** What threads need besides comlink to call each other through it. */
export { installErrorTransferHandler } from "./error-transfer.js";
export { exposeService } from "./expose-service.js";
export { portEndpoint } from "./port-endpoint.js";
