import { readdirSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { processOf } from "./test/support/test-process.ts";

const testFiles = [...readdirSync("packages").map((name) => `packages/${name}/src`), "test"].flatMap(
  (folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".test.ts"))
      .map((file) => `${folder}/${file.replaceAll("\\", "/")}`),
);

/** The test files that have, or share, such a process. */
function filesIn(kind: ReturnType<typeof processOf>): string[] {
  return testFiles.filter((file) => processOf(file) === kind);
}

/**
 * Files of one project in a row: a process ends if the next file is not one that it may run. Conformance first: a long
 * file that begins last leaves a core idle until it ends. What is known from an earlier run of single files still
 * counts among them.
 */
class ProjectsInARow extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const order = ["own", "kernels", "shared"];
    const isShort = ({ moduleId }: TestSpecification): number =>
      Number(!moduleId.includes("/test/conformance/"));
    return sorted.sort(
      (a, b) => order.indexOf(a.project.name) - order.indexOf(b.project.name) || isShort(a) - isShort(b),
    );
  }
}

export default defineConfig({
  test: {
    globalSetup: ["scripts/exports/assemble.mjs"],
    setupFiles: ["test/support/setup.ts"],
    // A native abort ends a process, not the run: another process takes over the files after the one that aborted.
    pool: "forks",
    // One more than the machines that this is measured on have cores: files about silence, ends and commands wait most
    // of the time. The default is one less.
    maxWorkers: 3,
    // What is built needs no transforming, file by file, in every process again.
    server: { deps: { external: [/\/packages\/[^/]+\/dist\//] } },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    sequence: { sequencer: ProjectsInARow },
    projects: [
      { extends: true, test: { name: "own", include: filesIn("own") } },
      // What one file has imported and compiled, the next has, in the same process.
      { extends: true, test: { name: "kernels", include: filesIn("kernels"), isolate: false } },
      { extends: true, test: { name: "shared", include: filesIn("shared"), isolate: false } },
    ],
  },
});
