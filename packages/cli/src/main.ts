import { setFlagsFromString } from "node:v8";
import { setKernelFlags } from "@ringrank/webassembly";
import { runCommandLine } from "./command-line.js";
import { compilerFlags } from "./engine-flags.js";

// A library must not set flags, since its host's other modules run in the same process.
setKernelFlags();
for (const flag of compilerFlags) setFlagsFromString(flag);
// No top-level await, so that bundlers can take this file in any format.
void runCommandLine(process.argv.slice(2)).then((exitCode) => {
  process.exitCode = exitCode;
});
