import { writeFileSync } from "node:fs";
import { rolldown } from "rolldown";
import { describe, expect, test } from "vitest";
import { root, runNode } from "./support/run-program.js";
import { temporaryDirectory } from "./support/temporary-directory.js";

const calls = {
  coordinator: `import { loadModel } from "@ringrank/coordinator";
    const model = ${JSON.stringify(`${root}packages/cli/models/shakespeare-llama`)};
    loadModel(model, { cache: false }).catch(({ code, message }) => console.log(code, message));`,
  collectives: `import { runRanks } from "@ringrank/collectives";
    const task = "data:text/javascript,export default () => 7";
    runRanks(2, task).catch(({ code, message }) => console.log(code, message));`,
} as const;

/** The output of a program that has a package of ours bundled into its one file, without the package's other files. */
async function printed(name: keyof typeof calls, format: "esm" | "cjs"): Promise<string> {
  const directory = temporaryDirectory();
  const input = `${directory}/program.mjs`;
  writeFileSync(input, calls[name]);
  const bundle = await rolldown({
    input,
    platform: "node",
    resolve: { alias: { [`@ringrank/${name}`]: `${root}packages/${name}/dist/bundle/index.js` } },
    // In CommonJS, esbuild defines no URL of the module.
    transform: { define: format === "cjs" ? { "import.meta.url": "undefined" } : {} },
    logLevel: "silent",
  });
  const file = `${directory}/bundle.${format === "cjs" ? "cjs" : "mjs"}`;
  await bundle.write({ file, format, codeSplitting: false });
  await bundle.close();
  const { stdout, stderr } = await runNode([file]);
  expect(stderr).toBe("");
  return stdout;
}

describe.each(["esm", "cjs"] as const)("bundled into one file in %s", (format) => {
  test.each(["coordinator", "collectives"] as const)(
    "%s reports at once that it must be external",
    async (name) => {
      expect(await printed(name, format)).toMatch(
        new RegExp(`^RR_\\w+ .* keep @ringrank/${name} external\\n$`),
      );
    },
  );
});
