import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { advisedBytes } from "../../../test/support/advised-bytes.js";
import { expectCode } from "../../../test/support/coded-error.js";
import { adviseHugePages, requireHugePages } from "./huge-pages.js";
import { localMemory } from "./memory.js";

describe.runIf(process.platform === "linux")("on Linux", () => {
  it("requests them for one memory, and for no other", () => {
    const before = advisedBytes();
    const memory = localMemory(64 << 20);
    localMemory(64 << 20);
    adviseHugePages(memory);
    expect(advisedBytes() - before).toBe(64 << 20);
  });

  it("reports what to install if native code cannot be loaded", () => {
    const ask = `import { requireHugePages } from "@ringrank/webassembly";
      try { requireHugePages(); } catch (error) { console.log(error.code, error.message); }`;
    const permission = ["--permission", "--experimental-permission"].find((flag) =>
      process.allowedNodeEnvironmentFlags.has(flag),
    )!;
    const said = execFileSync(
      process.execPath,
      ["--no-warnings", permission, "--allow-fs-read=*", "--input-type=module", "--eval", ask],
      { cwd: import.meta.dirname, encoding: "utf8" },
    );
    expect(said).toMatch(/^RR_OPTION hugePages: expected the package "koffi"/);
  });
});

it.runIf(process.platform !== "linux")("elsewhere, requesting them is an error", () => {
  expect(expectCode("RR_OPTION", requireHugePages).message).toContain("Linux");
});
