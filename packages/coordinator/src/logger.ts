import { destination, type Logger, levels, pino } from "pino";

/** The level a rank's logger is started with. */
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";

/**
 * The caller's logger, or one to standard error that is silent unless `RINGRANK_LOG` names a level; an unknown one is
 * `info`.
 */
export function loggerOf(given: Logger | undefined): Logger {
  if (given !== undefined) return given;
  const wanted = process.env.RINGRANK_LOG ?? "silent";
  return pino({ level: rankLogLevel({ level: wanted }) }, destination({ fd: 2, sync: true }));
}

/** A custom level of the caller's has no counterpart in a rank: those log at `info` then. */
export function rankLogLevel({ level }: { readonly level: string }): LogLevel {
  return isLogLevel(level) ? level : "info";
}

function isLogLevel(level: string): level is LogLevel {
  return level === "silent" || Object.hasOwn(levels.values, level);
}
