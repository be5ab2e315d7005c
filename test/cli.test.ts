import { cpSync, existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import type { ChatMessage } from "@ringrank/coordinator";
import { beforeAll, describe, expect, test } from "vitest";
import { chatModelDirectory } from "./support/chat-model.js";
import { loadedModel } from "./support/loaded-model.js";
import {
  type ProgramResult,
  type RunProgramOptions,
  root,
  runNode,
  runProgram,
} from "./support/run-program.js";
import { suiteDirectory, temporaryDirectory } from "./support/temporary-directory.js";

const bin = `${root}packages/cli/bin/ringrank.mjs`;
const escapeCharacter = "\u001b";

const ringrank = (args: readonly string[], options?: RunProgramOptions) => runNode([bin, ...args], options);

const embedded = `${root}packages/cli/models/shakespeare-llama`;
const chatModel = chatModelDirectory();
/**
 * The same with so much context that a text of that length takes minutes, and no pipe holds it: whoever ends the
 * program, or stops reading, cannot be too late.
 */
const endlessModel = suiteDirectory();
cpSync(chatModel, endlessModel, { recursive: true });
const config = JSON.parse(readFileSync(`${embedded}/config.json`, "utf8"));
writeFileSync(`${endlessModel}/config.json`, JSON.stringify({ ...config, max_position_embeddings: 65_536 }));
const endless = ["--max-new-tokens", "60000", "--ignore-eos"];

/** The chat model in this process, as the reference of what commands write. */
const model = loadedModel(chatModel, { ranks: 2 });
const continued = async (prompt: string | ChatMessage[], maxNewTokens: number): Promise<string> =>
  (await model().generate(prompt, { temperature: 0, maxNewTokens }).result).text;

describe("ringrank run", () => {
  describe("without a terminal", () => {
    const golden = JSON.parse(readFileSync(`${embedded}/golden.json`, "utf8"));
    const { prompt } = golden.prompts[0];
    let result: ProgramResult;
    beforeAll(async () => {
      const options = ["--prompt", prompt, "--max-new-tokens", "12", "--temperature", "0"];
      const env = { NO_COLOR: undefined, TERM: "xterm" };
      result = await ringrank(["run", "--demo", "--ranks", "3", ...options], { env });
    });

    test("streams text to standard output; progress, the table and figures go to standard error", () => {
      const { exitCode, stdout, stderr } = result;
      expect(exitCode).toBe(0);
      expect(stdout.length).toBeGreaterThan(12);
      expect(stderr).toMatch(
        /^planning the partition …\nloading weights: 3 ranks …\nloaded .+ on 3 ranks in/,
      );
      expect(stderr).toMatch(/4 heads +2\+1\+1 /);
      expect(stderr).toContain(prompt);
      expect(stderr).toMatch(/tokens +12 after a prompt of \d+ \(end: length\)\n/);
      expect(stderr).toMatch(/time to first token +[\d.]+ ms\ntokens per second +[\d.]+\n/);
      expect(stderr).toMatch(
        /bytes each rank holds +rank 0 [\d.]+ MB, rank 1 [\d.]+ MB, rank 2 [\d.]+ MB\n$/,
      );
    });

    test("uses neither colours nor a line that is updated in place", () => {
      expect(result.stdout + result.stderr).not.toContain(escapeCharacter);
      expect(result.stderr).not.toContain("\r");
    });
  });

  test("--system alone writes the prompt with the model's chat template, after a system message", async () => {
    const options = ["--temperature", "0", "--max-new-tokens", "12"];
    const chat = ["--system", "In Verona.", "--prompt", "Who art thou?"];
    const { exitCode, stdout } = await ringrank(["run", chatModel, ...chat, ...options]);
    expect(exitCode).toBe(0);
    const written = "SYSTEM:\nIn Verona.\n\nUSER:\nWho art thou?\n\nASSISTANT:";
    expect(stdout).toBe(`${await continued(written, 12)}\n`);
  });

  test("Ctrl-C closes the model and ends with 130", async () => {
    const kill = { after: "ROMEO:", signal: "SIGINT" } as const;
    const { exitCode, stderr } = await ringrank(["run", endlessModel, "--prompt", "ROMEO:", ...endless], {
      kill,
    });
    expect(stderr).toMatch(/ended by SIGINT\n$/);
    expect(exitCode).toBe(130);
  });

  test("Ctrl-C while loading also ends with 130", async () => {
    const kill = { after: "planning", signal: "SIGINT" } as const;
    const { exitCode, stderr } = await ringrank(["run", endlessModel, ...endless], { kill });
    expect(stderr).toMatch(/ended by SIGINT\n$/);
    expect(exitCode).toBe(130);
  });
});

describe("ringrank chat", () => {
  const greedy = ["--temperature", "0", "--max-new-tokens", "12"];

  test("answers each line of its input as the next message of one conversation, computing only what is new", async () => {
    const input = "Who art thou that comest here so late?\n\nWhat is thy will?";
    const { exitCode, stdout, stderr } = await ringrank(["chat", chatModel, ...greedy], { input });
    expect(exitCode).toBe(0);
    const messages: ChatMessage[] = [];
    let expected = "";
    for (const content of input.split("\n\n")) {
      messages.push({ role: "user", content });
      const text = await continued([...messages], 12);
      messages.push({ role: "assistant", content: text });
      expected += `${text}\n`;
    }
    expect(stdout).toBe(expected);
    const cached = [...stderr.matchAll(/after a prompt of \d+, of which (\d+) were cached/g)].map(([, n]) =>
      Number(n),
    );
    expect(cached).toEqual([0, expect.toSatisfy((tokens: number) => tokens > 20)]);
  });

  describe("with a system message, and a message that has no room", () => {
    let result: ProgramResult;
    beforeAll(async () => {
      const input = `Who art thou?\n${"word ".repeat(600)}\nWho art thou?\n`;
      result = await ringrank(["chat", chatModel, "--system", "In Verona.", ...greedy], { input });
    });

    test("has the system message before the first one", async () => {
      const messages: ChatMessage[] = [
        { role: "system", content: "In Verona." },
        { role: "user", content: "Who art thou?" },
      ];
      expect(result.stdout).toBe(`${await continued(messages, 12)}\n`);
    });

    test("refuses the one that has no room, after the answers before it", () => {
      const { exitCode, stderr } = result;
      expect(stderr).toMatch(/^RR_CONTEXT: .*\n$/m);
      expect(stderr.match(/were cached/g)).toHaveLength(1);
      expect(exitCode).toBe(2);
    });
  });

  test("Ctrl-C closes the model and ends with 130 while it answers", async () => {
    const kill = { after: "loaded", signal: "SIGINT" } as const;
    const input = "Who art thou?\n";
    const { exitCode, stderr } = await ringrank(["chat", endlessModel, ...endless], { input, kill });
    expect(stderr).toMatch(/ended by SIGINT\n$/);
    expect(exitCode).toBe(130);
  });
});

describe("ringrank plan", () => {
  test("prints the placement of every weight and its reason", async () => {
    const { exitCode, stdout, stderr } = await ringrank(["plan", "--demo", "--ranks", "2"]);
    expect(exitCode).toBe(0);
    expect(stderr).toBe("");
    expect(stdout).toMatch(/q_proj\.weight \(6\) .*column-parallel +50\.0%/);
    expect(stdout).toMatch(/down_proj\.weight \(6\) .*row-parallel +50\.0%/);
  });
});

describe("ringrank cache", () => {
  test("lists what a quantized load has cached, and removes it", async () => {
    const env = { RINGRANK_CACHE: `${temporaryDirectory()}/cache` };
    const short = ["run", "--demo", "--precision", "int4", "--max-new-tokens", "2"];
    expect((await ringrank([...short, "--no-cache"], { env })).exitCode).toBe(0);
    expect((await ringrank(["cache", "ls"], { env })).stdout).toBe("the cache is empty\n");
    expect((await ringrank(short, { env })).exitCode).toBe(0);
    const { stdout } = await ringrank(["cache", "ls"], { env });
    expect(stdout).toMatch(/MB +int4 int8 +2 of 2 +\d+ min ago +.*shakespeare-llama\n/);
    // The weights of two ranks, and their plan.
    expect((await ringrank(["cache", "clear"], { env })).stdout).toMatch(/^removed 3 entries, [\d.]+ MB\n$/);
    expect((await ringrank(["cache", "ls"], { env })).stdout).toBe("the cache is empty\n");
  });
});

describe("ringrank", () => {
  test("--help has examples, exit codes, and the options that every command takes", async () => {
    const { exitCode, stdout } = await ringrank(["--help"]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/Examples:\n +\$ ringrank /);
    expect(stdout).toMatch(/Exit codes: 0 .*1 .*2 .*130/);
    expect(stdout).toContain("--verbose");
  });

  // packages/cli/src has more, without a process of their own.
  test.each([
    [["run"], /^RR_OPTION: expected a model's directory/],
    [
      ["plan", "--demo", "--rank", "2"],
      /^RR_OPTION: unknown option '--rank' \(Did you mean --ranks\?\); ringrank plan --help shows what there is\n$/,
    ],
    [["run", "--demo", "--chat"], /^planning the partition …\nRR_NO_CHAT_TEMPLATE: .*\n$/],
  ])("%j is wrong usage: one line on standard error, and exit code 2", async (args, message) => {
    const { exitCode, stdout, stderr } = await ringrank(args);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(stdout).toBe("");
    expect(exitCode).toBe(2);
  });

  test("ends quietly when its reader closes the pipe", async () => {
    const run = `"${process.execPath}" "${bin}" run "${endlessModel}" --prompt ROMEO: ${endless.join(" ")}`;
    const { exitCode, stdout, stderr } = await runProgram("/bin/sh", ["-c", `${run} | head -n 1`]);
    expect(exitCode).toBe(0);
    expect(stdout.split("\n")).toHaveLength(2);
    expect(stderr).toMatch(/ROMEO:\n$/);
  });

  // The engine decides how many addresses a memory reserves: Node 22 has none left for its own messages, 24 reserves
  // fewer.
  const reservesTenGigabytes = process.platform === "linux" && process.versions.node.startsWith("20.");

  test.runIf(reservesTenGigabytes)("fails with a message if the system cannot reserve memories", async () => {
    const limited = `ulimit -v 4000000 && exec "${process.execPath}" "${bin}" run --demo`;
    const { exitCode, stderr } = await runProgram("/bin/sh", ["-c", limited]);
    expect(stderr).toMatch(/^RR_ADDRESS_SPACE: expected address space for .*ulimit -v.*\n$/m);
    expect(exitCode).toBe(1);
  });

  test.runIf(reservesTenGigabytes)(
    "warns and continues if the system cannot reserve the memory of kernels",
    async () => {
      // The memories in which ranks meet and read fit: they take some 10 GB each.
      const command = "run --demo --ranks 1 --precision int4 --max-new-tokens 4 --no-cache --temperature 0";
      const limited = `ulimit -v 25000000 && exec "${process.execPath}" "${bin}" ${command}`;
      const { exitCode, stdout, stderr } = await runProgram("/bin/sh", ["-c", limited]);
      expect(stderr).toMatch(/RR_ADDRESS_SPACE.*ONNX Runtime computes the products.*ulimit -v/);
      expect(stdout).not.toBe("");
      expect(exitCode).toBe(0);
    },
  );

  test.runIf(process.platform === "linux")("warns and continues if the cache has no space", async () => {
    const run = "run --demo --precision int4 --max-new-tokens 4 --temperature 0";
    // No file may have more than 64 blocks of 512 bytes, as if the disk were full by then.
    const limited = `trap "" XFSZ && ulimit -f 64 && exec "${process.execPath}" "${bin}" ${run}`;
    const env = { RINGRANK_CACHE: `${temporaryDirectory()}/cache` };
    const { exitCode, stdout, stderr } = await runProgram("/bin/sh", ["-c", limited], { env });
    expect(stderr).toMatch(/^RR_CACHE: .* cannot be cached, so the next load will quantize again: EFBIG/m);
    expect(stdout).not.toBe("");
    expect(exitCode).toBe(0);
  });

  test.runIf(existsSync("/dev/full"))("continues if its progress cannot be written", async () => {
    const unheard = `"${process.execPath}" "${bin}" run --demo --max-new-tokens 4 2> /dev/full`;
    const { exitCode, stdout } = await runProgram("/bin/sh", ["-c", unheard]);
    expect(stdout).not.toBe("");
    expect(exitCode).toBe(0);
  });

  test.runIf(process.platform === "linux")(
    "fails if only the end of its last line cannot be written",
    async () => {
      const run = `"${process.execPath}" "${bin}" run --demo --ranks 1 --max-new-tokens 4 --temperature 0`;
      const whole = `${await continued("ROMEO:\n", 4)}\n`;
      const file = `${temporaryDirectory()}/text`;
      // Blocks of 512 bytes: more than any other file of a run takes.
      const blocks = 100_000;
      writeFileSync(file, "");
      truncateSync(file, 512 * blocks - (Buffer.byteLength(whole) - 1));
      const limited = `trap "" XFSZ && ulimit -f ${blocks} && exec ${run} >> "${file}"`;
      const { exitCode, stderr } = await runProgram("/bin/sh", ["-c", limited]);
      expect(stderr).toMatch(/\nstandard output: EFBIG.*\n$/);
      expect(exitCode).toBe(1);
    },
  );

  test.runIf(existsSync("/dev/full")).each(["plan --demo", "--help", "run --help", "--version"])(
    "%s fails if its output cannot be written",
    async (command) => {
      const full = `"${process.execPath}" "${bin}" ${command} > /dev/full`;
      const { exitCode, stderr } = await runProgram("/bin/sh", ["-c", full]);
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(/^standard output: ENOSPC.*\n$/);
    },
  );
});
