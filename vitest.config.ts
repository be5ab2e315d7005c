import { readdirSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { needsOwnProcess } from "./test/support/own-process.ts";

/**
 * Test files that run JavaScript and WebAssembly alone, many and short, that import much: those of packages that start
 * no thread or seldom, but for what runs ONNX Runtime or sets the engine otherwise.
 */
const plain = ["errors", "webassembly", "model", "policy", "rank-worker", "cli"]
  .flatMap(testFilesOf)
  .filter((file) => !needsOwnProcess(file));

function testFilesOf(name: string): string[] {
  const folder = `packages/${name}/src`;
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return files
    .filter((file) => file.endsWith(".test.ts"))
    .map((file) => `${folder}/${file.replaceAll("\\", "/")}`);
}

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
    // A native abort in one file must not take the others with it, so each that can abort is a process of its own.
    pool: "forks",
    // One more than the machines that this is measured on have cores: files about silence, ends and commands wait most
    // of the time. The default is one less.
    maxWorkers: 3,
    // What is built needs no transforming, file by file, in every process again.
    server: { deps: { external: [/\/packages\/[^/]+\/dist\//] } },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    sequence: { sequencer: LongFilesFirst },
    projects: [
      {
        extends: true,
        // What one file has imported, the next has, in the same process; two thirds of their time would be imports.
        test: { name: "plain", include: plain, isolate: false },
      },
      {
        extends: true,
        test: {
          name: "isolated",
          include: ["packages/*/src/**/*.test.ts", "test/**/*.test.ts"],
          exclude: [...plain, "**/node_modules/**"],
        },
      },
    ],
  },
});
