import type { Logger, LoggerOptions } from "pino";
import { type LogLevel, logLevels } from "./task.js";

/** What a rank says. */
export type RankLog = Pick<Logger, "debug" | "info" | "warn" | "error">;

const levels: readonly string[] = logLevels;

/** Bytes of lines that wait for standard error to take them; what comes on top of them is lost. */
const mostWaiting = 1 << 20;

/**
 * A logger to standard error. It writes synchronously: a transport would lose its last lines when the thread ends.
 * Where standard error takes nothing, as on a disk that is full, pino would throw: no work fails for want of a line
 * about it. pino is imported only here: that takes a sixth of the time of importing all else.
 */
export async function stderrLogger(options: LoggerOptions): Promise<Logger> {
  const { destination, pino } = await import("pino");
  const stderr = destination({ fd: 2, sync: true, maxLength: mostWaiting });
  stderr.on("error", () => {});
  return pino(options, stderr);
}

/**
 * A logger with the rank in every line. Silent unless a level is given here or in `RINGRANK_LOG`, and then without
 * pino: every thread that starts would compile it anew.
 */
export async function rankLogger(rank: number, level: LogLevel | undefined): Promise<RankLog> {
  const wanted = level ?? process.env.RINGRANK_LOG ?? "silent";
  if (wanted === "silent") return silent;
  return stderrLogger({ level: levels.includes(wanted) ? wanted : "info", base: { rank } });
}

const nothing = (): void => {};
const silent: RankLog = { debug: nothing, info: nothing, warn: nothing, error: nothing };
