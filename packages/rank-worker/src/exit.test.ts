import { fork } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { tinyDecoder } from "./testing/tiny-decoder.js";

test("a process that ends while a rank is inside native code ends with its own exit code", async () => {
  const [program] = tinyDecoder({ heads: 2, worldSize: 1 });
  // Attention with 400² scores for 16 sequences keeps the rank inside for tens of milliseconds.
  const dims = [16, 400];
  const data = new BigInt64Array(16 * 400).fill(3n);
  const request = {
    entry: "forward",
    inputs: { input_ids: { type: "int64", dims, data } },
    outputs: ["logits"],
    logits: "last",
  };
  const child = fork(new URL("./testing/exit-inside.mjs", import.meta.url), {
    serialization: "advanced",
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let errors = "";
  child.stderr!.on("data", (chunk) => {
    errors += String(chunk);
  });
  child.send({ program: program!, request, exitCode: 7 } as object);
  const [code, signal] = await once(child, "close");
  expect({ code, signal, errors }).toEqual({ code: 7, signal: null, errors: "" });
});
