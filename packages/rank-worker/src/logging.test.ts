import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { expect, it } from "vitest";
import { root } from "../../../test/support/run-program.js";

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
