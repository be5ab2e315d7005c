#!/usr/bin/env node
import { runCommandLine } from "./command-line.js";
import { enableRelaxedSimd } from "./engine-flags.js";

enableRelaxedSimd();
// No top-level await, so that bundlers can take this file in any format.
void runCommandLine(process.argv.slice(2)).then((exitCode) => {
  process.exitCode = exitCode;
});
