import { expect } from "vitest";
import { type ErrorCode, isRingrankError, type RingrankError } from "../../packages/errors/src/index.js";

/** Runs `work`, which must throw a RingrankError with this code, and returns the error. */
export function expectCode(code: ErrorCode, work: () => unknown): RingrankError {
  let thrown: unknown;
  try {
    work();
  } catch (error) {
    thrown = error;
  }
  if (!isRingrankError(thrown))
    throw new Error(`expected a RingrankError ${code}, got ${thrown}`, { cause: thrown });
  expect(thrown.code, thrown.message).toBe(code);
  return thrown;
}
