import { cpSync, writeFileSync } from "node:fs";
import { afterEach, expect, test, vi } from "vitest";
import { chatModelDirectory } from "../../../../test/support/chat-model.js";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { shakespeareDirectory, zooDirectory } from "../../../model/src/testing/fixtures.js";
import { LoadProgress } from "../output/load-progress.js";
import { ringrank } from "../testing/ringrank.js";

const chatModel = chatModelDirectory();

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

test("the same seed gives the same text on 1 and 4 ranks, with a default prompt", async () => {
  const options = ["--seed", "7", "--max-new-tokens", "16", "--top-k", "40"];
  const alone = await ringrank("run", "--demo", "--ranks", "1", ...options);
  const four = await ringrank("run", "--demo", "--ranks", "4", ...options);
  expect(alone.exitCode).toBe(0);
  expect(alone.stderr).toContain("ROMEO:\n");
  expect(four.stdout).toBe(alone.stdout);
});

test("accepts a policy that plan has written", async () => {
  const { stdout: json } = await ringrank("plan", "--demo", "--ranks", "2", "--json");
  const directory = temporaryDirectory({ "policy.json": json });
  const given = ["--policy", `${directory}/policy.json`, "--max-new-tokens", "4"];
  expect((await ringrank("run", "--demo", "--ranks", "2", ...given)).exitCode).toBe(0);
});

test.each([
  [
    "a prompt of 100 kB, by its tokens",
    ["--prompt", "Juliet ".repeat(15_000)],
    "RR_CONTEXT: expected at most 512 tokens",
  ],
  ["an empty prompt", ["--prompt", ""], 'RR_EMPTY_PROMPT: expected a text of at least one token, got ""'],
  [
    "a decoder's prompt without an encoder",
    ["--decoder-prompt", "2,3"],
    "RR_OPTION: decoderPrompt: expected no value",
  ],
])("refuses %s, and loads nothing", async (_, args, message) => {
  const { exitCode, stdout, stderr } = await ringrank("run", "--demo", ...args);
  expect(stderr).toMatch(new RegExp(`^planning the partition …\n${message}.*\n$`));
  expect(stdout).toBe("");
  expect(exitCode).toBe(2);
});

test.each(["run", "chat"])(
  "%s passes variables to the chat template, which refuses others",
  async (command) => {
    const variables = ["--template-variables", '{"mood": "merry"}'];
    const { exitCode, stdout, stderr } = await ringrank(command, chatModel, ...variables);
    expect(stderr).toMatch(
      /^planning the partition …\nRR_OPTION: templateVariables: "mood" is not read.*\n$/,
    );
    expect(stdout).toBe("");
    expect(exitCode).toBe(2);
  },
);

test("reports that an encoder cannot generate, and loads nothing", async () => {
  const { exitCode, stdout, stderr } = await ringrank("run", zooDirectory("bert"));
  expect(stderr).toMatch(/^planning the partition …\nRR_NO_GENERATE: .*model\.run\n$/);
  expect(stdout).toBe("");
  expect(exitCode).toBe(2);
});

test("reports that a model without a tokenizer cannot take text, and loads nothing", async () => {
  const { exitCode, stdout, stderr } = await ringrank("run", zooDirectory("llama"));
  expect(stderr).toMatch(/^planning the partition …\nRR_NO_TOKENIZER: expected token ids.*\n$/);
  expect(stdout).toBe("");
  expect(exitCode).toBe(2);
});

test("warns about settings of the generation config that have no effect, each on a separate line", async () => {
  const directory = temporaryDirectory();
  cpSync(shakespeareDirectory, directory, { recursive: true });
  writeFileSync(`${directory}/generation_config.json`, '{ "num_beams": 4, "min_new_tokens": 3 }');
  const { exitCode, stderr } = await ringrank("run", directory, "--max-new-tokens", "2");
  expect(stderr).toMatch(/^RR_UNSUPPORTED_SETTING: .*num_beams, min_new_tokens/m);
  expect(exitCode).toBe(0);
});

test("chat refuses a model without a chat template, and loads nothing", async () => {
  const { exitCode, stderr } = await ringrank("chat", shakespeareDirectory);
  expect(stderr).toMatch(/^planning the partition …\nRR_NO_CHAT_TEMPLATE: .*\n$/);
  expect(exitCode).toBe(2);
});

test("chat refuses a template without system messages before it loads, if it is to begin with one", async () => {
  const directory = temporaryDirectory();
  cpSync(chatModel, directory, { recursive: true });
  const template = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}";
  writeFileSync(`${directory}/chat_template.jinja`, `${template}{{ messages[0].content }}`);
  const { exitCode, stderr } = await ringrank("chat", directory, "--system", "Speak in verse.");
  expect(stderr).toMatch(/^planning the partition …\nRR_INPUT: .*no system.*\n$/);
  expect(exitCode).toBe(2);
});

test.each([
  ["run", "--demo"],
  ["chat", chatModel],
])("%s loads nothing more once it is interrupted", async (command, model) => {
  vi.spyOn(LoadProgress.prototype, "report").mockImplementationOnce(() => {
    process.emit("SIGINT", "SIGINT");
  });
  const { exitCode, stderr } = await ringrank(command, model);
  expect(stderr).toBe("ended by SIGINT\n");
  expect(exitCode).toBe(130);
});

test("plan prints nothing once it is interrupted", async () => {
  const planning = ringrank("plan", "--demo");
  process.emit("SIGINT", "SIGINT");
  expect(await planning).toEqual({ exitCode: 130, stdout: "", stderr: "ended by SIGINT\n" });
});

test("run shows what it has divided, not each weight, and how many bytes each rank has in memory", async () => {
  const { stderr } = await ringrank("run", "--demo", "--max-new-tokens", "2");
  expect(stderr).toMatch(/^4 heads +2 each /m);
  expect(stderr).not.toContain("q_proj");
  // Of 5.77M parameters, nearly all are in matrices that stay bfloat16, and the table of tokens in float32.
  expect(stderr).toMatch(/bytes each rank holds +rank 0 6\.30 MB, rank 1 6\.30 MB\n$/);
});

test("run continues a default prompt with another model than its own", async () => {
  const { exitCode, stderr } = await ringrank("run", shakespeareDirectory, "--max-new-tokens", "2");
  expect(stderr).toContain("\n\nOnce upon a time\n");
  expect(exitCode).toBe(0);
});

/** What the command writes to standard error if that is a terminal. */
async function onTerminal(...args: string[]): Promise<string> {
  vi.stubEnv("TERM", "xterm");
  vi.stubEnv("NO_COLOR", "1");
  const isTTY = process.stderr.isTTY;
  process.stderr.isTTY = true;
  try {
    return (await ringrank(...args)).stderr;
  } finally {
    process.stderr.isTTY = isTTY;
  }
}

const clearedLine = "\r\u001b[K";

test("on a terminal, an error takes the place of the line of progress", async () => {
  const stderr = await onTerminal("run", zooDirectory("bert"));
  expect(stderr).toContain(`planning the partition …${clearedLine}RR_NO_GENERATE: `);
});

test("on a terminal, a warning takes the place of the line of progress", async () => {
  const directory = temporaryDirectory();
  cpSync(shakespeareDirectory, directory, { recursive: true });
  writeFileSync(`${directory}/generation_config.json`, '{ "num_beams": 4 }');
  const stderr = await onTerminal("run", directory, "--max-new-tokens", "2");
  expect(stderr).toContain(`planning the partition …${clearedLine}RR_UNSUPPORTED_SETTING: `);
});
