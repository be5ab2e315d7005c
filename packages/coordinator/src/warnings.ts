import { RingrankError } from "@ringrank/errors";
import type { Log } from "./logger.js";

/** Tells the caller of a load what it goes on in spite of. */
export type Warn = (warning: RingrankError) => void;

/**
 * @param onWarning the caller's own
 * @returns which, without one, is the logger, or where that would say nothing, Node's own way to warn
 */
export function warnThrough(onWarning: Warn | undefined, logger: Log): Warn {
  if (onWarning !== undefined) return onWarning;
  if (logger.isLevelEnabled("warn")) return (warning) => logger.warn({ err: warning }, warning.message);
  return ({ code, message }) => process.emitWarning(message, { type: "RingrankWarning", code });
}

/** @param obstacle what prevents ranks from multiplying themselves */
export function withoutProducts(obstacle: RingrankError): RingrankError {
  const { code, message } = obstacle;
  const what = "ONNX Runtime multiplies, which takes longer than ranks themselves would";
  return new RingrankError(code, `${what}: ${message}`, { cause: obstacle });
}

/** @param obstacle what prevented it, such as a disk that is full, or a directory that may only be read */
export function notKept(obstacle: string): RingrankError {
  const what = "the quantized weights of this load are not kept, and the next one quantizes again";
  const how = "Make room, name another directory with the option cacheDirectory, or set cache: false";
  return new RingrankError("RR_CACHE", `${what}: ${obstacle}. ${how}`);
}

/** @param names of settings that would change what is generated */
export function unsupportedSettings(names: readonly string[]): RingrankError {
  return new RingrankError(
    "RR_UNSUPPORTED_SETTING",
    `the model's generation config sets ${names.join(", ")}, which Ringrank does not support: what it generates is ` +
      "not what transformers would. Take them out of generation_config.json where that is meant",
  );
}
