// Formatting and lint, types of tests, unused code: run at once, with their output in this order. The build checks the
// types of sources.
import { fileURLToPath } from "node:url";
import { run } from "./run.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

const checks = [
  ["node_modules/@biomejs/biome/bin/biome", "ci", "."],
  ["node_modules/typescript/bin/tsc", "-p", "tsconfig.test.json"],
  ["node_modules/knip/bin/knip.js"],
];

const results = await Promise.all(checks.map((args) => run(process.execPath, args, { quiet: true })));
for (const [index, { status, output }] of results.entries()) {
  process.stdout.write(output);
  if (status === 0) continue;
  process.stderr.write(`${checks[index].join(" ")} exited with ${status}\n`);
  process.exitCode = 1;
}
