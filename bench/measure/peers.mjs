import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const directory = fileURLToPath(new URL("../peers/", import.meta.url));
const root = new URL("../../", import.meta.url);

/**
 * Installs transformers.js and llama.cpp from bench/peers' lock file, without running their scripts: all that they need
 * is inside the packages.
 *
 * @returns why they are unavailable, or undefined
 */
export function installPeers() {
  const lock = createHash("sha256")
    .update(readFileSync(`${directory}pnpm-lock.yaml`))
    .update(process.version);
  const digest = lock.digest("hex");
  const stamp = `${directory}node_modules/.ringrank-installed`;
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === digest) return undefined;
  const { packageManager } = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));
  const { status, stdout, stderr, error } = spawnSync(
    "npx",
    ["--yes", packageManager, "install", "--frozen-lockfile", "--ignore-scripts", "--reporter=append-only"],
    // npx is a .cmd file on Windows, which only a shell can start; none of the arguments needs quoting.
    {
      cwd: directory,
      // Without a network, a minute of retries would reveal no more than the first seconds.
      env: { ...process.env, npm_config_fetch_retries: "2", npm_config_fetch_retry_mintimeout: "1000" },
      encoding: "utf8",
      timeout: 600_000,
      shell: process.platform === "win32",
    },
  );
  if (status !== 0) {
    return `transformers.js and llama.cpp could not be installed: ${error?.message ?? essence(stdout + stderr)}`;
  }
  writeFileSync(stamp, digest);
  return undefined;
}

/** The line of npx's or pnpm's output that says what went wrong. */
function essence(output) {
  const lines = output.split("\n").map((line) => line.replace(/^(npm|pnpm) (error|ERR!)/, "").trim());
  const telling = lines.find((line) => /reason: |ERR_PNPM_/.test(line));
  return telling ?? lines.filter(Boolean).at(-1) ?? "nothing was printed";
}
