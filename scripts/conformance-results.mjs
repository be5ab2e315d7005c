// The results that conformance tests measure, for the tables in docs/.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

export const readJson = (path) => JSON.parse(readFileSync(path, "utf8"));

/** A share as a table cell. */
export const percent = (share) => (share === undefined ? "–" : `${(100 * share).toFixed(1)}%`);

/**
 * Runs conformance tests and returns what they measure: every `SplitResult` of test/support/results.ts. Ends this
 * process if a test fails.
 */
export function measure(tests, environment = {}) {
  const results = mkdtempSync(join(tmpdir(), "ringrank-results-"));
  try {
    const { status } = spawnSync(
      process.execPath,
      [
        join(root, "node_modules/vitest/vitest.mjs"),
        "run",
        ...tests.map((name) => `test/conformance/${name}.test.ts`),
      ],
      { cwd: root, env: { ...process.env, ...environment, RINGRANK_RESULTS: results }, stdio: "inherit" },
    );
    if (status !== 0) process.exit(status ?? 1);
    return readdirSync(results).map((file) => readJson(join(results, file)));
  } finally {
    rmSync(results, { recursive: true });
  }
}
