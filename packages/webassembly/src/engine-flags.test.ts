import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
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

it.runIf(process.versions.v8.startsWith("11.3."))("Node 20 does not run it without them", () => {
  expect(answer()).toBe("false");
});

it("a program that imports the package can still wait for standard input", async () => {
  // Node opens standard input, and makes its reads non-blocking, when anything is imported from node:process.
  const read = `import { readSync, writeSync } from "node:fs"; import "@ringrank/webassembly";
    writeSync(1, "reading"); readSync(0, Buffer.alloc(1));`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", read], {
    cwd: import.meta.dirname,
    stdio: ["pipe", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  // By now it waits; were it slower, it would find the byte, which is right too.
  await setTimeout(100);
  child.stdin.end("x");
  expect(await once(child, "close")).toEqual([0, null]);
});
