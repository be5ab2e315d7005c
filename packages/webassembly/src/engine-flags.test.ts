import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { relaxedSimdFlags } from "./engine-flags.js";

const ask = `import { runsRelaxedSimd } from "@ringrank/webassembly"; console.log(runsRelaxedSimd())`;

function answer(...flags: readonly string[]): string {
  const program = ["--input-type=module", "--eval", ask];
  return execFileSync(process.execPath, [...flags, ...program], {
    cwd: import.meta.dirname,
    encoding: "utf8",
  }).trim();
}

it("relaxed SIMD runs where the engine is started with the flags it wants for that", () => {
  expect(answer(...relaxedSimdFlags)).toBe("true");
});

it.runIf(relaxedSimdFlags.length > 0)("and does not where it wants flags and has got none", () => {
  expect(answer()).toBe("false");
});
