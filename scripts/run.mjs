// Commands as the build and the checks run them.
import { spawn } from "node:child_process";

/**
 * Runs a command until it ends.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, quiet?: boolean }} options quiet: the output is returned instead of printed
 * @returns {Promise<{ status: number | null, output: string }>}
 */
export function run(command, args, { cwd, quiet = false }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      stdio: quiet ? ["ignore", "pipe", "pipe"] : ["ignore", "inherit", "inherit"],
      // npx is a .cmd file there, which only a shell can start; none of the arguments needs quoting.
      shell: process.platform === "win32" && command === "npx",
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (text) => {
        output += text;
      });
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, output }));
  });
}
