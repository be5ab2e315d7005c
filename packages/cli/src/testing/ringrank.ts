import { vi } from "vitest";
import { runCommandLine } from "../command-line.js";

// Each command listens for a reader that leaves, as long as its process lives.
for (const stream of [process.stdout, process.stderr]) stream.setMaxListeners(Number.POSITIVE_INFINITY);

/** Runs a command line within this process; test/cli.test.ts has those whose process matters. */
export async function ringrank(
  ...args: string[]
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const [stdout, stderr] = [capture(process.stdout), capture(process.stderr)];
  try {
    const exitCode = await runCommandLine(args);
    return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    stdout.end();
    stderr.end();
  }
}

/** Takes what is written to a stream, until its end. */
function capture(stream: NodeJS.WriteStream): { text(): string; end(): void } {
  let text = "";
  const write = vi.spyOn(stream, "write").mockImplementation((part, ...rest) => {
    text += part;
    const done = rest.at(-1);
    if (typeof done === "function") done();
    return true;
  });
  return { text: () => text, end: () => write.mockRestore() };
}
