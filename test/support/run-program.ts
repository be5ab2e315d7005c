import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface ProgramResult {
  /** Null if a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunProgramOptions {
  readonly cwd?: string;
  /** Added to this process's environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Standard input, which is empty by default. */
  readonly input?: string;
  /** Sent when `after` appears in either output. */
  readonly kill?: { readonly after: string; readonly signal: NodeJS.Signals };
  /** Default 50 000, below vitest's own limit. */
  readonly timeoutMs?: number;
}

/** The repository's root. */
export const root: string = fileURLToPath(new URL("../../", import.meta.url));

/** Runs a program without a terminal until it ends. Rejects if that takes longer than `timeoutMs`. */
export function runProgram(
  command: string,
  args: readonly string[],
  { cwd = root, env, input, kill, timeoutMs = 50_000 }: RunProgramOptions = {},
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      // Programs decide on ONNX Runtime's telemetry themselves, as they do when users start them.
      env: { ...process.env, ORT_DISABLE_TELEMETRY: undefined, ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    // It may end before it has read its input.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    const output = { stdout: "", stderr: "" };
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(
        new Error(`${command} ${args.join(" ")} ran for ${timeoutMs} ms:\n${output.stdout}${output.stderr}`),
      );
    }, timeoutMs);
    let waiting = kill;
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => {
        output[name] += text;
        if (waiting === undefined || !output[name].includes(waiting.after)) return;
        child.kill(waiting.signal);
        waiting = undefined;
      });
    }
    child.on("error", reject);
    child.on("close", (exitCode) => {
      clearTimeout(timer);
      resolve({ exitCode, ...output });
    });
  });
}

/** Runs a script with plain node. */
export function runNode(args: readonly string[], options?: RunProgramOptions): Promise<ProgramResult> {
  return runProgram(process.execPath, args, options);
}
