// Installs what the lock file says (only when it changed), compiles and bundles what changed.
// Needs Node and npm alone: pnpm comes through npx, at the version that package.json pins.
//
//   node scripts/build.mjs [--quiet]     --quiet: say nothing but what takes long, and what went wrong
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bundlePackages } from "./bundle.mjs";
import { run } from "./run.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const quiet = process.argv.includes("--quiet");

const lock = createHash("sha256")
  .update(readFileSync("pnpm-lock.yaml"))
  .update(process.version)
  .digest("hex");
const stamp = "node_modules/.ringrank-installed";
if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== lock) {
  const { packageManager } = JSON.parse(readFileSync("package.json", "utf8"));
  if (quiet) process.stderr.write("installing dependencies (when the lock file has changed) …\n");
  await built("npx", ["--yes", packageManager, "install", "--frozen-lockfile", "--reporter=append-only"]);
  writeFileSync(stamp, lock);
}
if (quiet && !existsSync("packages/cli/dist/main.js")) process.stderr.write("building …\n");
const packages = readdirSync("packages");
// Side by side: TypeScript's compiler keeps one core busy, and a second for a part of its time.
await Promise.all([buildScripts(), ...packages.map((name) => buildWebAssembly(`packages/${name}`))]);

async function buildScripts() {
  await built(process.execPath, ["node_modules/typescript/bin/tsc", "-b"]);
  await bundlePackages(packages);
}

/**
 * Compiles a package's AssemblyScript, if it has any: asconfig.json lists sources and outputs, by target if there are
 * several.
 */
async function buildWebAssembly(folder) {
  if (!existsSync(`${folder}/asconfig.json`)) return;
  const { options, targets = { release: options } } = JSON.parse(
    readFileSync(`${folder}/asconfig.json`, "utf8"),
  );
  const sources = readdirSync(`${folder}/assembly`, { recursive: true }).map((file) => `assembly/${file}`);
  const written = (file) => statSync(`${folder}/${file}`, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const changed = Math.max(...["asconfig.json", ...sources].map(written));
  for (const [target, { outFile }] of Object.entries(targets)) {
    if (written(outFile) > changed) continue;
    await built(process.execPath, ["node_modules/assemblyscript/bin/asc.js", "--target", target], folder);
  }
}

/** Ends the build if one of its commands fails. */
async function built(command, args, cwd) {
  const { status, output } = await run(command, args, { cwd, quiet });
  if (status === 0) return;
  process.stderr.write(`${output}\n${command} ${args.join(" ")} exited with ${status}\n`);
  process.exit(status ?? 1);
}
