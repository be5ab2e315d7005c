// Installs what the lock file says (only when it changed) and compiles what changed.
// Needs Node and npm alone: pnpm comes through npx, at the version package.json pins.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";

process.chdir(new URL("..", import.meta.url).pathname);
const quiet = process.argv.includes("--quiet");

function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: "utf8",
    stdio: quiet ? "pipe" : ["ignore", "inherit", "inherit"],
    shell: process.platform === "win32",
  });
  if (error) throw error;
  if (status !== 0) {
    process.stderr.write(
      `${stdout ?? ""}${stderr ?? ""}\n${command} ${args.join(" ")} exited with ${status}\n`,
    );
    process.exit(status ?? 1);
  }
}

const stamp = "node_modules/.lock-installed";
const lock = createHash("sha256")
  .update(readFileSync("pnpm-lock.yaml"))
  .update(process.version)
  .digest("hex");
if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== lock) {
  const { packageManager } = JSON.parse(readFileSync("package.json", "utf8"));
  if (quiet) process.stderr.write("installing dependencies (first run only) …\n");
  run("npx", ["--yes", packageManager, "install", "--frozen-lockfile", "--reporter=append-only"]);
  writeFileSync(stamp, lock);
}
if (quiet && !existsSync("packages/cli/dist/main.js")) process.stderr.write("building …\n");
run(process.execPath, ["node_modules/typescript/bin/tsc", "-b"]);
