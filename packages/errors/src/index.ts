export { type ErrorCode, errorCodes } from "./codes.js";
export { messageOf } from "./message-of.js";
export { requireOptions } from "./require-options.js";
export {
  type ErrorData,
  errorFromData,
  errorToData,
  isRingrankError,
  RingrankError,
  type RingrankErrorData,
} from "./ringrank-error.js";
export { show } from "./show.js";
