import { setFlagsFromString } from "node:v8";
import "./to-be-allclose.js";

// Most of what a test runs, it runs a few times, and each thread of each model anew: what the engine optimizes after
// its usual 66 kB of bytecode is seldom run again. With this, a hot loop is still optimized, and the suite takes a
// fifth less of the processor. Node 22 has no such flag.
if (process.versions.node.startsWith("20.")) setFlagsFromString("--interrupt-budget=1000000");

// Set by whoever runs the tests, they would change what tests and the programs that they start print.
for (const name of ["FORCE_COLOR", "RINGRANK_LOG"]) delete process.env[name];

// Tests that open sessions of their own, without the library, which does so itself, would send telemetry of each.
process.env.ORT_DISABLE_TELEMETRY ??= "1";
