/**
 * Keeps ONNX Runtime from sending telemetry, which its Linux and macOS binaries do since 1.29, unless the environment
 * says otherwise. Nobody who loads a model here has asked for it, and its start takes a process with a command line of
 * more than some 15 kB down: it matches a regular expression on that, recursively, on the small stack of a rank's
 * thread (https://github.com/vespa-engine/vespa/pull/37786).
 *
 * Only a process's main thread can change what native code sees of the environment.
 */
export function disableRuntimeTelemetry(): void {
  process.env.ORT_DISABLE_TELEMETRY ??= "1";
}
