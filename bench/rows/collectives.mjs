import { spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("../../packages/collectives/bench/collectives.mjs", import.meta.url));

/** All-reduces from 1 KB to 64 MB compared with the copy bound, as packages/collectives measures them. */
export async function measureCollectives({ quick, ranks, results, progress }) {
  const counts = ranks.filter((count) => count > 1);
  const exponents = quick ? [10, 13, 18, 24] : [10, 12, 13, 14, 16, 18, 20, 22, 24, 26];
  const file = join(tmpdir(), `ringrank-collectives-${process.pid}.json`);
  try {
    await run(
      [
        ...["--ranks", counts.join(), "--bytes", exponents.map((exponent) => 2 ** exponent).join()],
        ...["--kernels", "simd", "--json", file],
      ],
      (line) => progress("all-reduces from 1 KB on", line.trim().replace(/\s+/g, " ")),
    );
    for (const { ranks, bytes, title, microseconds } of JSON.parse(readFileSync(file, "utf8"))) {
      results.add({ row: title === "copy" ? "copy" : "all-reduce", ranks, bytes }, "µs", microseconds);
    }
  } catch (error) {
    results.fail({ row: "all-reduce" }, error);
  } finally {
    rmSync(file, { force: true });
  }
}

function run(args, onLine) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    let errors = "";
    child.stdout.setEncoding("utf8").on("data", (text) => text.split("\n").filter(Boolean).forEach(onLine));
    child.stderr.setEncoding("utf8").on("data", (text) => {
      errors += text;
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), 300_000);
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve();
      else reject(new Error(`${script} ended with ${signal ?? code}: ${errors.trim()}`));
    });
  });
}
