import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["packages/*/src/**/*.test.ts", "test/**/*.test.ts"],
    globalSetup: ["scripts/exports/assemble.mjs"],
    setupFiles: ["test/support/setup.ts"],
    // A native abort in one file must not take the others with it.
    pool: "forks",
    // As many as the machines that this is measured on have cores; the default leaves one of two idle.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
