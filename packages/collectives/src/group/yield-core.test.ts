import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { lateYieldCore, yieldCore } from "./yield-core.js";

/** Runs `source` in a separate Node process, and returns what it writes to both of its outputs. */
function run(source: string, ...flags: string[]): string {
  const module = new URL("../../dist/group/yield-core.js", import.meta.url).href;
  const program = `import { lateYieldCore, yieldCore } from ${JSON.stringify(module)}; ${source}`;
  const command = [process.execPath, ...flags, "--input-type=module", "--eval", program];
  return execFileSync("/bin/sh", ["-c", '"$@" 2>&1', "sh", ...command], { encoding: "utf8" });
}

describe("yielding the core", () => {
  it("is a call that reports success", () => {
    expect(yieldCore()?.()).toBe(0);
  });

  it("is the same call if it is made late", () => {
    const late = lateYieldCore();
    expect([late(), late()]).toEqual([0, 0]);
  });

  it("does not affect other warnings", () => {
    const { emitWarning } = process;
    yieldCore();
    expect(process.emitWarning).toBe(emitWarning);
  });

  // A shell joins the outputs.
  it.skipIf(process.platform === "win32")(
    "does not show the warning that Node's WASI is experimental",
    () => {
      expect(run("console.log(typeof yieldCore())")).toBe("function\n");
    },
  );

  it.skipIf(process.platform === "win32")("is unavailable under Node's permission model", () => {
    const flag = process.allowedNodeEnvironmentFlags.has("--permission")
      ? "--permission"
      : "--experimental-permission";
    const without = (source: string) => run(source, flag, "--allow-fs-read=*", "--no-warnings");
    expect(without("console.log(typeof yieldCore(), lateYieldCore()())")).toBe("undefined undefined\n");
  });
});
