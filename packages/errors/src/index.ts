export { type ErrorCode, errorCodes } from "./codes.js";
export { isRingrankError, RingrankError, type RingrankErrorData } from "./ringrank-error.js";
