import { destination, type Logger, pino } from "pino";
import type { LogLevel } from "./task.js";

const levels: readonly string[] = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];

/**
 * A logger with the rank in every line, to standard error. It writes synchronously: a transport would lose its last
 * lines when the thread ends. Silent unless a level is given here or in `RINGRANK_LOG`.
 */
export function rankLogger(rank: number, level: LogLevel | undefined): Logger {
  const wanted = level ?? process.env.RINGRANK_LOG ?? "silent";
  return pino(
    { level: levels.includes(wanted) ? wanted : "info", base: { rank } },
    destination({ fd: 2, sync: true }),
  );
}
