import "./to-be-allclose.js";

// Tests that open sessions of their own, without the library, which does so itself, would send telemetry of each.
process.env.ORT_DISABLE_TELEMETRY ??= "1";
