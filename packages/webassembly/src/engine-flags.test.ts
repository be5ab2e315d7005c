import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { expect, it } from "vitest";
import { kernelFlags } from "./engine-flags.js";

/** What a function of the package returns in a process that is started with these flags. */
function answer(name: "runsRelaxedSimd" | "runsWideVectors", ...flags: readonly string[]): string {
  const ask = `import { ${name} } from "@ringrank/webassembly"; console.log(${name}())`;
  const program = ["--input-type=module", "--eval", ask];
  return execFileSync(process.execPath, [...flags, ...program], {
    cwd: import.meta.dirname,
    encoding: "utf8",
  }).trim();
}

it("an engine that is started with the flags for kernels runs relaxed SIMD", () => {
  expect(answer("runsRelaxedSimd", ...kernelFlags)).toBe("true");
});

it.runIf(process.versions.v8.startsWith("11.3."))("Node 20 does not run it without them", () => {
  expect(answer("runsRelaxedSimd")).toBe("false");
});

it("Node 24 and later make wide vectors on x64 if they are started with the flags for kernels", () => {
  const isWide = process.arch === "x64" && Number.parseInt(process.versions.node, 10) >= 24;
  expect(answer("runsWideVectors", ...kernelFlags)).toBe(String(isWide));
});

it("threads know whether their process has set the flags, but other processes that it starts do not", () => {
  const ask = `import { runsWideVectors } from "@ringrank/webassembly"; console.log(runsWideVectors())`;
  const program = `import { setKernelFlags } from "@ringrank/webassembly"; setKernelFlags();
    import { Worker } from "node:worker_threads"; import { execFileSync } from "node:child_process"; ${ask};
    const url = new URL("data:text/javascript," + encodeURIComponent(${JSON.stringify(ask.replace("@ringrank/webassembly", import.meta.resolve("@ringrank/webassembly")))}));
    await new Promise((done) => new Worker(url).on("exit", done));
    console.log(String(execFileSync(process.execPath, ["--input-type=module", "--eval", ${JSON.stringify(ask)}])).trim());`;
  const said = execFileSync(process.execPath, ["--input-type=module", "--eval", program], {
    cwd: import.meta.dirname,
    encoding: "utf8",
  });
  const isWide = answer("runsWideVectors", ...kernelFlags);
  expect(said.trim().split("\n")).toEqual([isWide, isWide, "false"]);
});

it("no engine makes wide vectors without a flag", () => {
  expect(answer("runsWideVectors")).toBe("false");
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
