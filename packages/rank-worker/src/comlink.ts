/** What threads need besides comlink to call each other through it. */
export { installErrorTransferHandler } from "./ports/error-transfer.js";
export { exposeService } from "./ports/expose-service.js";
export { portEndpoint } from "./ports/port-endpoint.js";
