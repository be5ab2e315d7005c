import { setFlagsFromString } from "node:v8";
import { kernelFlags } from "@ringrank/webassembly";

/**
 * Imported for its effect: kernels of this process run as the command's do after a while. The optimizing compiler
 * compiles them before their first call; by themselves, engines begin with a compiler that does not change their
 * instructions, and few tests call a kernel often enough to ever run what users run.
 */
for (const flag of [...kernelFlags, "--no-liftoff", "--no-wasm-dynamic-tiering"]) setFlagsFromString(flag);
