import { RingrankError } from "@ringrank/errors";
import type { Communicator } from "../communicator.js";

/** What each rank runs: its end of the group, and the data given to {@link runRanks}. May be async. */
export type RankTask<Data = unknown, Result = unknown> = (
  comm: Communicator,
  data: Data,
) => Result | Promise<Result>;

/**
 * The absolute URL of a task's module.
 *
 * @throws RR_TASK_URL for what is no file: or data: URL, and for TypeScript without a loader in `execArgv`.
 */
export function requireTaskUrl(taskUrl: string | URL, execArgv: readonly string[]): string {
  const url = URL.canParse(String(taskUrl)) ? new URL(taskUrl) : undefined;
  if (url?.protocol !== "file:" && url?.protocol !== "data:") {
    throw new RingrankError(
      "RR_TASK_URL",
      `expected a file: or data: URL, such as new URL("./task.mjs", import.meta.url); got ${String(taskUrl)}`,
    );
  }
  if (/\.[cm]?tsx?$/.test(url.pathname) && !execArgv.some((argument) => loaderFlag.test(argument))) {
    throw new RingrankError(
      "RR_TASK_URL",
      `${url.href} is TypeScript, which a worker thread does not load by itself: ` +
        'give the built .js file, or a loader as in execArgv: ["--import", "tsx"]',
    );
  }
  return url.href;
}

const loaderFlag = /^(--import|--require|-r|--loader|--experimental-loader|--experimental-strip-types)(=|$)/;

/**
 * The function that a task's module exports: the one named `run`, else the default export, else the only function.
 *
 * @throws RR_TASK_URL if the module cannot be loaded, or which function is meant is not clear.
 */
export async function loadTask(taskUrl: string): Promise<RankTask> {
  let exported: Record<string, unknown>;
  try {
    exported = (await import(taskUrl)) as Record<string, unknown>;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RingrankError("RR_TASK_URL", `the task's module could not be loaded: ${reason}`, { cause });
  }
  const functions = Object.keys(exported).filter((name) => typeof exported[name] === "function");
  const chosen = ["run", "default"].find((name) => functions.includes(name)) ?? functions[0];
  if (chosen === undefined || (functions.length > 1 && chosen !== "run" && chosen !== "default")) {
    throw new RingrankError(
      "RR_TASK_URL",
      `${taskUrl}: expected one exported function, or one named run, or a default; it exports ` +
        `${functions.length === 0 ? "no function" : functions.join(", ")}`,
    );
  }
  return exported[chosen] as RankTask;
}
