import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { kernelFlags } from "./engine-flags.js";

const ask = `import { runsRelaxedSimd } from "@ringrank/webassembly"; console.log(runsRelaxedSimd())`;

function answer(...flags: readonly string[]): string {
  const program = ["--input-type=module", "--eval", ask];
  return execFileSync(process.execPath, [...flags, ...program], {
    cwd: import.meta.dirname,
    encoding: "utf8",
  }).trim();
}

it("an engine that is started with the flags for kernels runs relaxed SIMD", () => {
  expect(answer(...kernelFlags)).toBe("true");
});

it.runIf(process.versions.v8.startsWith("11.3."))("and does not on Node 20 without them", () => {
  expect(answer()).toBe("false");
});
