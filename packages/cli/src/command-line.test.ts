import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test, vi } from "vitest";
import { temporaryDirectory } from "../../../test/support/temporary-directory.js";
import { ringrank } from "./testing/ringrank.js";

const fixtures = fileURLToPath(new URL("../../../test/fixtures", import.meta.url));

afterEach(() => {
  vi.unstubAllEnvs();
});

test.each([["run"], ["chat"], ["plan"], ["cache"]])(
  "%s --help has examples, exit codes, and the options that every command takes",
  async (command) => {
    const { exitCode, stdout } = await ringrank(command, "--help");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/Examples:\n +\$ ringrank /);
    expect(stdout).toMatch(/Exit codes: 0 .*1 .*2 .*130/);
    expect(stdout).toContain("--verbose");
  },
);

describe("plan", () => {
  test.each([
    ["llama-2-70b", "8 heads", 68_976_648_192],
    ["bloom-176b", "112 heads", 176_247_271_424],
  ])("divides %s over 8 ranks, given only its config", async (name, heads, parameters) => {
    const totalBytes = 4 * parameters;
    const { exitCode, stdout } = await ringrank(
      "plan",
      `${fixtures}/configs/${name}`,
      "--ranks",
      "8",
      "--json",
    );
    expect(exitCode).toBe(0);
    const policy = JSON.parse(stdout);
    expect(policy.totalBytes).toBe(totalBytes);
    // Only norms, and biases after an all-reduce, are replicated.
    for (const bytes of policy.bytesPerRank) expect(bytes / totalBytes).toBeLessThan(1 / 8 + 0.001);
    const sharded = policy.factors.filter((factor: { sharded: boolean }) => factor.sharded);
    expect(
      sharded.map((factor: { units: number; label: string }) => `${factor.units} ${factor.label}`),
    ).toContain(heads);
  });

  test("--dtype selects one of a directory's ONNX files", async () => {
    const directory = `${fixtures}/assembled/transformers.js/llama`;
    const { exitCode, stdout } = await ringrank("plan", directory, "--dtype", "q4");
    expect(exitCode).toBe(0);
    expect(stdout).toContain("com.microsoft::MatMulNBits");
    expect((await ringrank("plan", directory)).stdout).not.toContain("MatMulNBits");
  });

  test("divides a model over 2 ranks by default", async () => {
    expect(JSON.parse((await ringrank("plan", "--demo", "--json")).stdout).ranks).toBe(2);
  });

  test("reports what does not fit, in words of the command", async () => {
    const tooSmall = ["plan", "--demo", "--ranks", "2", "--memory-per-rank", "5MB"];
    const { exitCode, stdout, stderr } = await ringrank(...tooSmall);
    expect(stderr).toMatch(/^RR_MEMORY: .*allow more bytes/);
    expect(stderr).not.toContain("memoryPerRank");
    expect(stdout).toBe("");
    expect(exitCode).toBe(2);
  });
});

const numbers = [
  "--max-new-tokens 5",
  "--temperature 0.5",
  "--top-k 3",
  "--top-p 0.5",
  "--min-p 0.1",
  "--seed 7",
];
const penalties = [
  "--repetition-penalty 1.5",
  "--no-repeat-ngram-size 2",
  "--stop a",
  "--stop b",
  "--ignore-eos",
];
const plans = ["--ranks 3", "--objective time", "--memory-per-rank 5MB", "--precision int8", "--dtype q4"];
const loads = [
  "--activations float32",
  "--threads-per-rank 2",
  "--wire int8",
  "--trace t",
  "--cache-max-bytes 1GB",
];
const both = [...numbers, ...penalties, ...plans, ...loads, "--template-variables {}", "--system Speak."];

test.each<[string, readonly string[]]>([
  ["run", [...both, "-p Who?", "--chat", "--decoder-prompt 2,3"]],
  ["chat", [...both, "--prefix-cache-tokens 5"]],
  ["plan", [...plans, "--activations int8", "--json"]],
])("%s takes all its options; nothing is wrong but that there is no model", async (command, options) => {
  const { stderr } = await ringrank(command, "not/a/model", ...options.flatMap((each) => each.split(" ")));
  expect(stderr).toMatch(/^RR_NOT_A_MODEL: /);
});

test.each([
  [["run", "somewhere", "--demo"], /^RR_OPTION: .*somewhere and --demo/],
  [["run", "--demo", "--ranks", "0"], /^RR_RANKS: .*1 to 64, got 0\n$/],
  [["run", "--demo", "--temperature", "-1"], /^RR_OPTION: temperature: .*a number from 0, got -1\n$/],
  [["run", "--demo", "--stop", ""], /^RR_OPTION: stop: .*, got ""\n$/],
  [["run", "--demo", "--ranks", "two"], /^RR_OPTION: .*'two' is invalid. Expected a number; .*\n$/],
  [
    ["run", "--demo", "--policy", "missing.json"],
    /^RR_POLICY: missing.json: expected the output of ringrank plan/,
  ],
  [["run", "--demo", "--policy", ""], /^RR_OPTION: policy: expected the path of a file, got ""\n$/],
  [["run", "--demo", "--decoder-prompt", "2,x"], /^RR_OPTION: .*'2,x' is invalid. Expected token ids.*\n$/],
  [
    ["run", "--demo", "--policy", "policy.json", "--objective", "memory"],
    /^RR_OPTION: option '--policy <file>' cannot be used with option '--objective <objective>'; .*\n$/,
  ],
  [
    ["run", "--demo", "--no-cache", "--cache-max-bytes", "1GB"],
    /^RR_OPTION: option '--cache-max-bytes <bytes>' cannot be used with option '--no-cache'; .*\n$/,
  ],
  [["plan", "not/a/model"], /^RR_NOT_A_MODEL: /],
  [["plan", "--demo", "--dtype", "q3"], /^RR_OPTION: dtype: expected .*"q4".*, got "q3"\n$/],
  [
    ["plan", "--demo", "--precision", "int3"],
    /^RR_OPTION: option '--precision <type>' argument 'int3' is invalid. Allowed choices are float32, int8, int4;/,
  ],
  [["chat"], /^RR_OPTION: missing required argument 'model'; ringrank chat --help shows what there is\n$/],
  [["fly"], /^RR_OPTION: unknown command 'fly'; ringrank --help shows what there is\n$/],
])("%j is wrong usage: one line on standard error, and exit code 2", async (args, message) => {
  const { exitCode, stdout, stderr } = await ringrank(...args);
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/^ +at /m);
  expect(stdout).toBe("");
  expect(exitCode).toBe(2);
});

test("a policy for another number of ranks is wrong usage", async () => {
  const { stdout: json } = await ringrank("plan", "--demo", "--ranks", "2", "--json");
  const policy = join(temporaryDirectory({ "policy.json": json }), "policy.json");
  const { exitCode, stderr } = await ringrank("run", "--demo", "--ranks", "3", "--policy", policy);
  expect(stderr).toMatch(/^RR_POLICY: .*2 ranks/m);
  expect(exitCode).toBe(2);
});

test("shows an error's stack with --verbose or RINGRANK_LOG=debug", async () => {
  const wrong = ["plan", "--demo", "--ranks", "0"];
  expect((await ringrank(...wrong, "--verbose")).stderr).toMatch(/^ +at checkPlanOptions/m);
  vi.stubEnv("RINGRANK_LOG", "debug");
  expect((await ringrank(...wrong)).stderr).toMatch(/^ +at checkPlanOptions/m);
});
