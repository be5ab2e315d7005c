import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { root, runNode } from "./support/run-program.js";

/** The patterns that each example must print, by its number. */
const printed: Readonly<Record<string, readonly RegExp[]>> = {
  "01": [
    /^ROMEO:\n\S/,
    /JULIET:\n[^[]+\n\[20 tokens\]/,
    /logits: float32 \[1,3,2048\]/,
    /rank 1 holds \d+ bytes/,
  ],
  "02": [
    /reduce-scatter, step 2 of 2/,
    /all-gather, step 2 of 2/,
    /rank 2: 111 222 333 444 555 666/,
    /Rank 0 read 8 numbers from its neighbour in 4 steps/,
  ],
  "03": [/output 3: 7 \+ 3 = 10/, /all-reduce: +\[11 13 8 10\]/, /one all-reduce for both: +\[37 45\]/],
  "04": [
    /row-parallel/,
    /Axis \d is split: 4 heads, 2 \+ 2 over the ranks/,
    /sums over its heads/,
    /13 in all/,
  ],
  "05": [
    /ranks: 1, softmax: (.+)\nranks: 2, softmax: \1\nranks: 3, softmax: \1\nranks: 4, softmax: \1\n/,
    /RR_RANK_FAILED, as it should be/,
    /RR_MISMATCH, .*; rank 2 called allReduce\(float32\[6\], sum\)/,
  ],
};

const files = readdirSync(`${root}examples`).filter((name) => /^\d\d-.*\.mjs$/.test(name));
const examples = files.filter((name) => !name.endsWith("-task.mjs"));

test.each(examples)("%s runs with one command and shows what it is about", async (file) => {
  const { exitCode, stdout, stderr } = await runNode([`examples/${file}`]);
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
  const expected = printed[file.slice(0, 2)];
  expect(expected, `what ${file} prints`).toBeDefined();
  for (const pattern of expected!) expect(stdout).toMatch(pattern);
});

test("02 refuses more ranks than it has numbers to split into chunks", async () => {
  const { exitCode, stdout, stderr } = await runNode(["examples/02-ring-all-reduce.mjs", "7"]);
  expect(stderr).toContain("expected at most 6 ranks, one number for each chunk, got 7");
  expect(stdout).toBe("");
  expect(exitCode).toBe(1);
});

test("04 says so if a policy splits nothing by rows, as on one rank", async () => {
  const model = `${root}packages/cli/models/shakespeare-llama`;
  const { exitCode, stdout } = await runNode(["examples/04-read-a-policy.mjs", model, "1"]);
  expect(stdout).toContain("No weight is split by rows");
  expect(exitCode).toBe(0);
});

test("04 counts query heads if there are more ranks than key heads", async () => {
  const model = `${root}packages/cli/models/shakespeare-llama`;
  const { stdout } = await runNode(["examples/04-read-a-policy.mjs", model, "8"]);
  expect(stdout).toContain("8 heads, 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 over the ranks");
});

test("examples/README.md names every example", () => {
  const readme = readFileSync(`${root}examples/README.md`, "utf8");
  expect(examples.filter((file) => !readme.includes(`node examples/${file}\``))).toEqual([]);
});
