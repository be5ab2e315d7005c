import { setFlagsFromString } from "node:v8";
import { runCommandLine } from "./command-line.js";
import { engineFlags } from "./engine-flags.js";

for (const flag of engineFlags) setFlagsFromString(flag);
// No top-level await, so that bundlers can take this file in any format.
void runCommandLine(process.argv.slice(2)).then((exitCode) => {
  process.exitCode = exitCode;
});
