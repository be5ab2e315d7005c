import type { Logger } from "pino";
import { type LogLevel, logLevels } from "./task.js";

/** What a rank says. */
export type RankLog = Pick<Logger, "debug" | "info" | "warn" | "error">;

const levels: readonly string[] = logLevels;

/**
 * A logger with the rank in every line, to standard error. It writes synchronously: a transport would lose its last
 * lines when the thread ends. Silent unless a level is given here or in `RINGRANK_LOG`, and then without pino: every
 * thread that starts would compile it anew.
 */
export async function rankLogger(rank: number, level: LogLevel | undefined): Promise<RankLog> {
  const wanted = level ?? process.env.RINGRANK_LOG ?? "silent";
  if (wanted === "silent") return silent;
  const { destination, pino } = await import("pino");
  const log: RankLog = pino(
    { level: levels.includes(wanted) ? wanted : "info", base: { rank } },
    destination({ fd: 2, sync: true }),
  );
  return log;
}

const nothing = (): void => {};
const silent: RankLog = { debug: nothing, info: nothing, warn: nothing, error: nothing };
