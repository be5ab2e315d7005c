import { fileURLToPath } from "node:url";
import { messageOf, RingrankError, show } from "@ringrank/errors";
import type { Communicator } from "../communicator.js";

/** The function that each rank runs, with its communicator and the data passed to {@link runRanks}. May be async. */
export type RankTask<Data = unknown, Result = unknown> = (
  comm: Communicator,
  data: Data,
) => Result | Promise<Result>;

/**
 * The absolute URL of a task's module.
 *
 * @throws RR_TASK_URL unless it is a file: or data: URL
 */
export function requireTaskUrl(taskUrl: string | URL): string {
  const text: unknown = typeof taskUrl === "object" ? taskUrl?.href : taskUrl;
  const url = typeof text === "string" && URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "file:" && url?.protocol !== "data:") {
    throw new RingrankError(
      "RR_TASK_URL",
      `expected a file: or data: URL, such as new URL("./task.mjs", import.meta.url); got ${show(taskUrl)}`,
    );
  }
  return url.href;
}

/**
 * The function that a task's module exports: the one named `run`, else the default export, else the only function.
 *
 * @throws RR_TASK_URL if the module cannot be loaded, or it is not clear which function is meant
 */
export async function loadTask(taskUrl: string): Promise<RankTask> {
  let exported: Record<string, unknown>;
  try {
    exported = (await import(taskUrl)) as Record<string, unknown>;
  } catch (cause) {
    const reason = messageOf(cause);
    const message = `the task's module could not be loaded: ${reason}${hint(cause, taskUrl)}`;
    throw new RingrankError("RR_TASK_URL", message, { cause });
  }
  const functions = Object.keys(exported).filter((name) => typeof exported[name] === "function");
  const chosen = ["run", "default"].find((name) => functions.includes(name)) ?? functions[0];
  if (chosen === undefined || (functions.length > 1 && chosen !== "run" && chosen !== "default")) {
    throw new RingrankError(
      "RR_TASK_URL",
      `${taskUrl}: expected a single exported function, or one named run, or a default export; it exports ` +
        `${functions.length === 0 ? "no function" : functions.join(", ")}`,
    );
  }
  return exported[chosen] as RankTask;
}

/** Advice on errors in the task's module, or in what it imports, whose message does not say enough. */
function hint(cause: unknown, taskUrl: string): string {
  if (!(cause instanceof Error)) return "";
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === "ERR_UNKNOWN_FILE_EXTENSION" && /\.[cm]?tsx?\b/.test(message)) {
    return (
      `. Node ${process.versions.node} does not load TypeScript by itself: ` +
      'pass the built .js file, or a loader as in execArgv: ["--import", "tsx"]'
    );
  }
  // Node only tells the line where a module does not parse when the error ends a process.
  if (cause instanceof SyntaxError && taskUrl.startsWith("file:")) {
    return `. This shows where: node ${fileURLToPath(taskUrl)}`;
  }
  return "";
}
