import { RingrankError } from "@ringrank/errors";
import type { Log } from "../logger.js";

/** Tells the caller about a problem that does not stop loading. */
export type Warn = (warning: RingrankError) => void;

/**
 * @param onWarning the caller's own function
 * @returns that function; without one, the logger's, or, if its level is above `warn`, Node's own warning
 */
export function warnThrough(onWarning: Warn | undefined, logger: Log): Warn {
  if (onWarning !== undefined) return onWarning;
  if (logger.isLevelEnabled("warn")) return (warning) => logger.warn({ err: warning }, warning.message);
  return ({ code, message }) => process.emitWarning(message, { type: "RingrankWarning", code });
}

/** @param obstacle what prevents ranks from computing products themselves */
export function withoutProducts(obstacle: RingrankError): RingrankError {
  const { code, message } = obstacle;
  const what = "ONNX Runtime computes the products, which takes longer than if ranks did it themselves";
  return new RingrankError(code, `${what}: ${message}`, { cause: obstacle });
}

/** @param obstacle the cause, such as a full disk or a read-only directory */
export function notKept(obstacle: string): RingrankError {
  const what = "the quantized weights of this load cannot be cached, so the next load will quantize again";
  const how =
    "Free some disk space, choose another directory with the option cacheDirectory if there is one, else with " +
    "RINGRANK_CACHE, or load without the cache";
  return new RingrankError("RR_CACHE", `${what}: ${obstacle}. ${how}`);
}

/** @param names settings that would change what is generated, at least one */
export function unsupportedSettings(names: readonly string[]): RingrankError {
  const which = names.length === 1 ? "it" : "them";
  return new RingrankError(
    "RR_UNSUPPORTED_SETTING",
    `the model's generation config sets ${names.join(", ")}, which Ringrank does not support, so it generates ` +
      "different text from transformers. If that is intended, remove " +
      `${which} from generation_config.json, or from config.json if the model has no such file`,
  );
}
