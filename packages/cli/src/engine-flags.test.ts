import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { engineFlags } from "./engine-flags.js";

it("this engine supports the flags that the command sets", () => {
  const setAll = `for (const flag of ${JSON.stringify(engineFlags)}) require("node:v8").setFlagsFromString(flag)`;
  const said = execFileSync("/bin/sh", ["-c", '"$0" --eval "$1" 2>&1', process.execPath, setAll], {
    encoding: "utf8",
  });
  expect(said).toBe("");
});
