import { messageOf } from "@ringrank/errors";
import { type LogLevel, logLevels, stderrLogger } from "@ringrank/rank-worker";
import type { LogFn, Logger } from "pino";

/** The parts of a pino logger that are used. */
export type Log = Pick<Logger, "level" | "isLevelEnabled" | "debug" | "info" | "warn" | "error">;

/** Whether it has the methods that are called; another kind of logger would fail in the middle of a load. */
export function isLog(value: unknown): value is Log {
  if (typeof value !== "object" || value === null) return false;
  const { isLevelEnabled, debug, info, warn, error } = value as Partial<Record<keyof Log, unknown>>;
  return [isLevelEnabled, debug, info, warn, error].every((method) => typeof method === "function");
}

/**
 * The caller's logger, or one to standard error that is silent unless `RINGRANK_LOG` names a level; an unknown one is
 * `info`.
 */
export async function loggerOf(given: Log | undefined): Promise<Log> {
  if (given !== undefined) return given;
  const level = rankLogLevel({ level: process.env.RINGRANK_LOG ?? "silent" });
  return level === "silent" ? silent : stderrLogger({ level });
}

const nothing = (): void => {};
const silent: Log = {
  level: "silent",
  isLevelEnabled: () => false,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
};

/**
 * A logger that never throws, for code that must end ranks whether or not that can be logged. pino's own throws if the
 * disk that it writes to is full. Node then prints a warning instead.
 */
export function unfailing(log: Log): Log {
  const of =
    (method: "debug" | "info" | "warn" | "error"): LogFn =>
    (...given: unknown[]) => {
      try {
        Reflect.apply(log[method], log, given);
      } catch (error) {
        process.emitWarning(`the logger failed: ${messageOf(error)}`, { type: "RingrankWarning" });
      }
    };
  return {
    level: log.level,
    isLevelEnabled: (level) => log.isLevelEnabled(level),
    debug: of("debug"),
    info: of("info"),
    warn: of("warn"),
    error: of("error"),
  };
}

/** A custom level of the caller has no counterpart in a rank, which then logs at `info`. */
export function rankLogLevel({ level }: { readonly level: string }): LogLevel {
  return logLevels.find((known) => known === level) ?? "info";
}
