import { setFlagsFromString } from "node:v8";
import "./equal-bytes.js";
import "./to-be-allclose.js";

// Tests run most code only a few times, and each thread of each model compiles anew: what the engine optimizes after
// its usual 66 kB of bytecode is seldom run again. With this, hot loops are still optimized, and the suite takes a
// fifth less processor time. Node 22 has no such flag.
if (process.versions.node.startsWith("20.")) setFlagsFromString("--interrupt-budget=1000000");

// If set in the user's environment, they would change the output of tests and of the programs that they start.
for (const name of ["FORCE_COLOR", "RINGRANK_LOG"]) delete process.env[name];

// Tests open sessions without the library, which disables telemetry itself.
process.env.ORT_DISABLE_TELEMETRY ??= "1";
