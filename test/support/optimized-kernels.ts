import { setFlagsFromString } from "node:v8";
import { setKernelFlags } from "@ringrank/webassembly";

/**
 * Imported for its effect: kernels of this process run as those of the command do after a while. The optimizing
 * compiler compiles them before their first call. By default, engines start with a compiler that does not transform
 * their instructions, and few tests call a kernel often enough to ever run the code that users run.
 */
setKernelFlags();
for (const flag of ["--no-liftoff", "--no-wasm-dynamic-tiering"]) setFlagsFromString(flag);
