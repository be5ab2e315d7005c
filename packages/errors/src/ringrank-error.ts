import { type ErrorCode, errorCodes } from "./codes.js";
import { messageOf } from "./message-of.js";

/** A {@link RingrankError} as plain data, so that it survives a thread boundary. */
export interface RingrankErrorData {
  readonly code: ErrorCode;
  readonly message: string;
  readonly rank?: number;
  readonly stack?: string;
  readonly cause?: RingrankErrorData | ForeignErrorData;
}

/** An error of somebody else's, which has no code of ours. */
interface ForeignErrorData {
  readonly message: string;
  readonly stack?: string;
  readonly cause?: RingrankErrorData | ForeignErrorData;
}

/** Causes that are kept of an error; a chain may also lead back to where it began. */
const mostCauses = 8;

export interface RingrankErrorOptions {
  /** The rank at fault, where there is one. */
  readonly rank?: number | undefined;
  readonly cause?: unknown;
}

/**
 * The one error class of the project. `code` is stable and listed in {@link errorCodes}; the message says what
 * was expected, what came, and what to do.
 */
export class RingrankError extends Error {
  override readonly name = "RingrankError";
  readonly code: ErrorCode;
  /** The rank at fault; no field where no single rank is, so that whoever prints the error is not told of none. */
  declare readonly rank?: number;

  constructor(code: ErrorCode, message: string, options: RingrankErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    if (options.rank !== undefined) this.rank = options.rank;
  }

  /** Plain data that {@link RingrankError.fromData} turns back into an error on another thread. */
  toData(): RingrankErrorData {
    return { code: this.code, ...(this.rank === undefined ? {} : { rank: this.rank }), ...toData(this, 0) };
  }

  static fromData(data: RingrankErrorData): RingrankError {
    const error = new RingrankError(data.code, data.message, {
      rank: data.rank,
      cause: data.cause === undefined ? undefined : causeFromData(data.cause),
    });
    if (data.stack !== undefined) error.stack = data.stack;
    return error;
  }

  /** `error` itself if it is a RingrankError, else a new one of `code` with `error` as its cause. */
  static wrap(error: unknown, code: ErrorCode, options: { rank?: number | undefined } = {}): RingrankError {
    if (isRingrankError(error)) return error;
    return new RingrankError(code, messageOf(error), { ...options, cause: error });
  }
}

/** True for a RingrankError, also for one made by another copy of this package. */
export function isRingrankError(value: unknown): value is RingrankError {
  return (
    value instanceof Error && value.name === "RingrankError" && "code" in value && isErrorCode(value.code)
  );
}

function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(errorCodes, value);
}

function toData({ message, stack, cause }: Error, depth: number): ForeignErrorData {
  return {
    message,
    ...(stack === undefined ? {} : { stack }),
    ...(cause === undefined || depth === mostCauses ? {} : { cause: causeToData(cause, depth + 1) }),
  };
}

function causeToData(cause: unknown, depth: number): RingrankErrorData | ForeignErrorData {
  if (!(cause instanceof Error)) return { message: String(cause) };
  const data = toData(cause, depth);
  if (!isRingrankError(cause)) return data;
  return { code: cause.code, ...(cause.rank === undefined ? {} : { rank: cause.rank }), ...data };
}

function causeFromData(data: RingrankErrorData | ForeignErrorData): Error {
  if ("code" in data) return RingrankError.fromData(data);
  const error = new Error(data.message, data.cause && { cause: causeFromData(data.cause) });
  if (data.stack !== undefined) error.stack = data.stack;
  return error;
}
