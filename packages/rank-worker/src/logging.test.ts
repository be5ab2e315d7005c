import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import type { Logger } from "pino";
import { afterEach, expect, it, vi } from "vitest";
import { root } from "../../../test/support/run-program.js";
import { rankLogger } from "./logging.js";

afterEach(() => vi.unstubAllEnvs());

it.each([
  ["the level that it is given", "error", "debug", "error"],
  ["else that of the environment", undefined, "debug", "debug"],
  ["info if the environment has another value", undefined, "1", "info"],
] as const)("a rank logs at %s, and says which rank it is", async (_, given, inEnvironment, level) => {
  vi.stubEnv("RINGRANK_LOG", inEnvironment);
  const log = (await rankLogger(3, given)) as Logger;
  expect([log.level, log.bindings()]).toEqual([level, { rank: 3 }]);
});

it.runIf(process.platform === "linux")(
  "a line that standard error does not accept, as on a full disk, is lost without an error",
  async () => {
    const program = `import { stderrLogger } from "@ringrank/rank-worker";
      const log = await stderrLogger({ level: "info" });
      for (let line = 0; line < 3; line++) log.info("lost");
      console.log("goes on");`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
      cwd: `${root}packages/coordinator`,
      stdio: ["ignore", "pipe", openSync("/dev/full", "w")],
    });
    let output = "";
    child.stdout!.on("data", (text) => {
      output += String(text);
    });
    const [exitCode] = await once(child, "close");
    expect([exitCode, output]).toEqual([0, "goes on\n"]);
  },
);
