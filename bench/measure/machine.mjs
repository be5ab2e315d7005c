import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";

/** The machine and software on which the figures were measured. */
export function describeMachine() {
  return {
    date: new Date().toISOString(),
    processor: cpus()[0]?.model.trim() ?? "unnamed",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${process.platform} ${process.arch}`,
    node: process.version,
    versions: {
      ringrank: versionOf("../../packages/cli/package.json"),
      "onnxruntime-node": versionOf("../../node_modules/onnxruntime-node/package.json"),
      "@huggingface/transformers": versionOf("../peers/node_modules/@huggingface/transformers/package.json"),
      "node-llama-cpp": versionOf("../peers/node_modules/node-llama-cpp/package.json"),
    },
    hugePages: hugePages(),
    loadBefore: loadavg()[0],
  };
}

/**
 * Which memory gets huge pages: "always" all, "madvise" what requests them, "never" none; undefined if there are none.
 */
function hugePages() {
  const setting = "/sys/kernel/mm/transparent_hugepage/enabled";
  if (!existsSync(setting)) return undefined;
  return /\[(\w+)\]/.exec(readFileSync(setting, "utf8"))?.[1];
}

/** The bytes that programs may still allocate, as far as the system reports them. */
export function availableBytes() {
  if (process.platform !== "linux") return totalmem();
  const [, kilobytes] = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8"));
  return 1024 * Number(kilobytes);
}

function versionOf(path) {
  try {
    return createRequire(import.meta.url)(path).version;
  } catch {
    return "not installed";
  }
}
