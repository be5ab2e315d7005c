import type { Logger, LoggerOptions } from "pino";
import { type LogLevel, logLevels } from "./task.js";

/** A rank's logger. */
export type RankLog = Pick<Logger, "debug" | "info" | "warn" | "error">;

const levels: readonly string[] = logLevels;

/** Bytes of lines that may wait for standard error; any more are lost. */
const mostWaiting = 1 << 20;

/**
 * A logger to standard error. It writes synchronously, because a transport would lose its last lines when the thread
 * ends. If standard error accepts nothing, for example because a disk is full, pino would throw; no work should fail
 * because of a log line. pino is only imported here, since that takes a sixth of the time of importing everything else.
 */
export async function stderrLogger(options: LoggerOptions): Promise<Logger> {
  const { destination, pino } = await import("pino");
  const stderr = destination({ fd: 2, sync: true, maxLength: mostWaiting });
  stderr.on("error", () => {});
  return pino(options, stderr);
}

/**
 * A logger with the rank in every line. Silent unless a level is given here or in `RINGRANK_LOG`. In that case it does
 * not import pino, which every new thread would have to compile again.
 */
export async function rankLogger(rank: number, level: LogLevel | undefined): Promise<RankLog> {
  const wanted = level ?? process.env.RINGRANK_LOG ?? "silent";
  if (wanted === "silent") return silent;
  return stderrLogger({ level: levels.includes(wanted) ? wanted : "info", base: { rank } });
}

const nothing = (): void => {};
const silent: RankLog = { debug: nothing, info: nothing, warn: nothing, error: nothing };
