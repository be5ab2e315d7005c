import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Packages that start no thread: their tests are many short files that import much. */
const withoutThreads = ["errors", "model", "policy"].map((name) => `packages/${name}/src/**/*.test.ts`);

/**
 * Conformance first: a long file that begins last leaves a core idle until it ends. What is known from an earlier run
 * of single files still counts among them.
 */
class LongFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification): boolean => moduleId.includes("/test/conformance/");
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

export default defineConfig({
  test: {
    globalSetup: ["scripts/exports/assemble.mjs"],
    setupFiles: ["test/support/setup.ts"],
    // A native abort in one file must not take the others with it.
    pool: "forks",
    // As many as the machines that this is measured on have cores; the default leaves one of two idle.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    sequence: { sequencer: LongFilesFirst },
    projects: [
      {
        extends: true,
        // What one file has imported, the next has; two thirds of their time would be imports.
        test: { name: "without threads", include: withoutThreads, isolate: false },
      },
      {
        extends: true,
        test: {
          name: "with threads",
          include: ["packages/*/src/**/*.test.ts", "test/**/*.test.ts"],
          exclude: [...withoutThreads, "**/node_modules/**"],
        },
      },
    ],
  },
});
