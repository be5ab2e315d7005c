import { type ErrorCode, errorCodes } from "./codes.js";
import { messageOf } from "./message-of.js";

/** A {@link RingrankError} as plain data, so that it survives a thread boundary. */
export interface RingrankErrorData {
  readonly code: ErrorCode;
  readonly message: string;
  readonly rank?: number;
  readonly stack?: string;
  readonly cause?: ErrorData;
}

/** A foreign error, which has no code of ours. */
interface ForeignErrorData {
  readonly message: string;
  readonly stack?: string;
  readonly cause?: ErrorData;
}

/** Any error as plain data. */
export type ErrorData = RingrankErrorData | ForeignErrorData;

/** How many causes of an error are kept; a chain may also be circular. */
const mostCauses = 8;

export interface RingrankErrorOptions {
  /** The rank at fault, if there is one. */
  readonly rank?: number | undefined;
  readonly cause?: unknown;
}

/**
 * The only error class of the project. `code` is stable and listed in {@link errorCodes}; the message says what was
 * expected, what was received, and what to do.
 */
export class RingrankError extends Error {
  override readonly name = "RingrankError";
  readonly code: ErrorCode;
  /**
   * The rank at fault. The field does not exist if no single rank is at fault, so that printed errors do not show it as
   * undefined.
   */
  declare readonly rank?: number;

  constructor(code: ErrorCode, message: string, options: RingrankErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    if (options.rank !== undefined) this.rank = options.rank;
  }

  /** Plain data that {@link RingrankError.fromData} converts back to an error on another thread. */
  toData(): RingrankErrorData {
    return { code: this.code, ...(this.rank === undefined ? {} : { rank: this.rank }), ...toData(this, 0) };
  }

  static fromData(data: RingrankErrorData): RingrankError {
    const error = new RingrankError(data.code, data.message, {
      rank: data.rank,
      cause: data.cause && errorFromData(data.cause),
    });
    if (data.stack !== undefined) error.stack = data.stack;
    return error;
  }

  /** `error` itself if it is a RingrankError, else a new one with `code` and `error` as its cause. */
  static wrap(error: unknown, code: ErrorCode, options: { rank?: number | undefined } = {}): RingrankError {
    if (isRingrankError(error)) return error;
    return new RingrankError(code, messageOf(error), { ...options, cause: error });
  }
}

/** True for a RingrankError, even one created by another copy of this package. */
export function isRingrankError(value: unknown): value is RingrankError {
  return (
    value instanceof Error && value.name === "RingrankError" && "code" in value && isErrorCode(value.code)
  );
}

/** Anything thrown, with its causes, as plain data that {@link errorFromData} converts back on another thread. */
export function errorToData(thrown: unknown): ErrorData {
  return anyToData(thrown, 0);
}

export function errorFromData(data: ErrorData): Error {
  if ("code" in data) return RingrankError.fromData(data);
  const error = new Error(data.message, data.cause && { cause: errorFromData(data.cause) });
  if (data.stack !== undefined) error.stack = data.stack;
  return error;
}

function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(errorCodes, value);
}

function toData(error: Error, depth: number): ForeignErrorData {
  const stack = stackOf(error);
  const { cause } = error;
  return {
    message: messageOf(error),
    ...(stack === undefined ? {} : { stack }),
    ...(cause === undefined || depth === mostCauses ? {} : { cause: anyToData(cause, depth + 1) }),
  };
}

/** Undefined if it is no text: a host's `Error.prepareStackTrace` may make an array of it, which cannot be cloned. */
function stackOf(error: Error): string | undefined {
  try {
    const stack: unknown = error.stack;
    return typeof stack === "string" ? stack : undefined;
  } catch {
    // The engine makes it when it is first read, of name and message, which fails if these cannot be strings.
    return undefined;
  }
}

function anyToData(thrown: unknown, depth: number): ErrorData {
  if (!(thrown instanceof Error)) return { message: messageOf(thrown) };
  const data = toData(thrown, depth);
  if (!isRingrankError(thrown)) return data;
  return { code: thrown.code, ...(thrown.rank === undefined ? {} : { rank: thrown.rank }), ...data };
}
