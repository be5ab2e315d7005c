/**
 * Disables ONNX Runtime's telemetry, which its Linux and macOS binaries send since 1.29, unless the environment says
 * otherwise. Users of this library have not asked for it. Besides, starting it crashes processes whose command line is
 * longer than about 15 kB: it matches a regular expression against the command line, recursively, on the small stack of
 * a rank's thread (https://github.com/vespa-engine/vespa/pull/37786).
 *
 * Only the main thread of a process can change the environment that native code sees.
 */
export function disableRuntimeTelemetry(): void {
  process.env.ORT_DISABLE_TELEMETRY ??= "1";
}
