import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { shakespeareDirectory } from "../../packages/model/src/testing/fixtures.js";

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly output: string;
  readonly errors: string;
}

const child = (name: string): string => fileURLToPath(new URL(`./children/${name}.mjs`, import.meta.url));

async function run(way: string): Promise<Ended> {
  const process_ = spawn(process.execPath, [child("ends"), shakespeareDirectory, way]);
  let output = "";
  let errors = "";
  process_.stdout.on("data", (chunk) => {
    output += String(chunk);
  });
  process_.stderr.on("data", (chunk) => {
    errors += String(chunk);
  });
  const [code, signal] = (await once(process_, "close")) as [number | null, string | null];
  return { code, signal, output, errors };
}

describe("the end of a process with a model", () => {
  it.each(["exit in plan", "exit in load", "exit in generation", "exit in a step"])(
    "by process.exit keeps the exit code: %s",
    async (way) => {
      expect(await run(way)).toEqual({ code: 7, signal: null, output: "", errors: "" });
    },
  );

  it("by an uncaught exception during generation is Node's own, with the message", async () => {
    const { code, signal, errors } = await run("throw in generation");
    expect({ code, signal }).toEqual({ code: 1, signal: null });
    expect(errors).toContain("nobody catches this");
  });

  it("never passes for success if the thread that plans runs out of memory", async () => {
    const command = fileURLToPath(new URL("../../packages/cli/bin/ringrank.mjs", import.meta.url));
    const env = { ...process.env, NODE_OPTIONS: "--max-old-space-size=8" };
    const process_ = spawn(process.execPath, [command, "run", "--demo", "--max-new-tokens", "1"], { env });
    const [code] = (await once(process_, "close")) as [number | null];
    expect(code).not.toBe(0);
  });

  it("comes by itself once the model is closed", async () => {
    expect(await run("close")).toEqual({ code: 0, signal: null, output: "closed", errors: "" });
  });

  it("does not come while the model is open", async () => {
    const process_ = fork(child("stays"), [shakespeareDirectory]);
    const closed = once(process_, "close");
    const [first] = await Promise.race([once(process_, "message"), closed]);
    expect(first).toBe("still here");
    process_.send("close");
    expect(await closed).toEqual([0, null]);
  });
});
