import { execFileSync } from "node:child_process";
import { kernelFlags } from "@ringrank/webassembly";
import { expect, it } from "vitest";
import { compilerFlags } from "./engine-flags.js";

it("this engine supports the flags that the command sets", () => {
  const flags = [...kernelFlags, ...compilerFlags];
  const setAll = `for (const flag of ${JSON.stringify(flags)}) require("node:v8").setFlagsFromString(flag)`;
  const said = execFileSync("/bin/sh", ["-c", '"$0" --eval "$1" 2>&1', process.execPath, setAll], {
    encoding: "utf8",
  });
  expect(said).toBe("");
});
