#!/usr/bin/env node
import { setFlagsFromString } from "node:v8";
import { relaxedSimdFlags } from "@ringrank/webassembly";
import { runCommandLine } from "./command-line.js";

// Kernels then multiply and add in one instruction.
for (const flag of relaxedSimdFlags) setFlagsFromString(flag);
// No top-level await, so that bundlers can take this file in any format.
void runCommandLine(process.argv.slice(2)).then((exitCode) => {
  process.exitCode = exitCode;
});
