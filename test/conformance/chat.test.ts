import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadModel, type TemplateVariables } from "@ringrank/coordinator";
import { loadTokenizer } from "@ringrank/model/tokenizer";
import { describe, expect, it } from "vitest";
import { shakespeareDirectory } from "../../packages/model/src/testing/fixtures.js";
import { loadedModel } from "../support/loaded-model.js";
import { suiteDirectory, temporaryDirectory } from "../support/temporary-directory.js";

const greedy = { temperature: 0, maxNewTokens: 8, ignoreEos: true };
const begin = 1;

/**
 * Writes the embedded model with a chat template into a directory, and a tokenizer that begins every text with
 * `<|begin|>`.
 */
function chattingModel(directory: string): string {
  cpSync(shakespeareDirectory, directory, { recursive: true });
  const template =
    "{% if messages[0].role != 'user' %}{{ raise_exception('the first has to be a user') }}{% endif %}" +
    "{{ bos_token }}{% for tool in tools or [] %}{{ tool.function.name ~ '\n' }}{% endfor %}" +
    "{% for message in messages %}{{ message.role | upper }}:\n{{ message.content or '' }}" +
    "{% for call in message.tool_calls %}calls {{ call.function.name }} of {{ call.function.arguments.zone }}" +
    "{% endfor %}{{ '\n\n' }}{% endfor %}" +
    "{% if add_generation_prompt %}ROMEO:\n{% endif %}";
  writeFileSync(join(directory, "chat_template.jinja"), template);
  const file = join(directory, "tokenizer.json");
  const token = "<|begin|>";
  const tokenizer = {
    ...JSON.parse(readFileSync(file, "utf8")),
    post_processor: {
      type: "TemplateProcessing",
      single: [{ SpecialToken: { id: token, type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
      pair: [],
      special_tokens: { [token]: { id: token, ids: [begin], tokens: [token] } },
    },
  };
  writeFileSync(file, JSON.stringify(tokenizer));
  return directory;
}

function cyclic(): object {
  const variables: Record<string, unknown> = {};
  variables.tools = variables;
  return variables;
}

describe("messages", () => {
  const directory = chattingModel(suiteDirectory());
  const model = loadedModel(directory, { ranks: 2 });

  it("are continued as the text that the chat template writes, with its special tokens and no others", async () => {
    const written = "USER:\nWho art thou?\n\nASSISTANT:\nThy love.\n\nUSER:\nSwear it.\n\nROMEO:\n";
    const ids = loadTokenizer(directory)!.encode(written);
    expect(ids.filter((id) => id === begin)).toHaveLength(1);
    const chat = await model().generate(
      [
        { role: "user", content: "Who art thou?" },
        { role: "assistant", content: "Thy love." },
        { role: "user", content: "Swear it." },
      ],
      greedy,
    ).result;
    expect(chat).toEqual(await model().generate(ids, greedy).result);
    expect(chat.usage.promptTokens).toBe(ids.length);
  });

  it("may call tools, which the template gets as a variable", async () => {
    const call = { function: { name: "clock", arguments: { zone: "Verona" } } };
    const tools = [{ type: "function", function: { name: "clock" } }];
    const messages = [
      { role: "user", content: "What o'clock is it?" },
      { role: "assistant", content: null, tool_calls: [call] },
      { role: "tool", tool_call_id: "call_0", content: "Noon." },
    ];
    const written =
      "clock\nUSER:\nWhat o'clock is it?\n\nASSISTANT:\ncalls clock of Verona\n\nTOOL:\nNoon.\n\nROMEO:\n";
    const options = { ...greedy, templateVariables: { tools } };
    const generation = model().generate(messages, options);
    // They are copied when `generate` is called.
    tools.length = 0;
    call.function.name = "";
    const ids = loadTokenizer(directory)!.encode(written);
    expect(await generation.result).toEqual(await model().generate(ids, greedy).result);
  });

  it.each<[string, unknown[]]>([
    ["the template rejects", [{ role: "assistant", content: "Hail." }]],
    ["are no messages", [{ role: "user" }]],
    ["have a property that no template would see", [{ role: "user", content: "Hail.", mood: "merry" }]],
    ["are not even JSON", [{ role: "user", content: 5n }]],
    ["have calls that are not JSON", [{ role: "user", content: "Hail.", tool_calls: [{ id: 5n }] }]],
    ["have calls that JSON would lose", [{ role: "user", content: "Hail.", tool_calls: [new Map()] }]],
  ])("that %s are RR_INPUT", async (_, messages) => {
    const { result } = model().generate(messages as [], greedy);
    await expect(result).rejects.toMatchObject({ code: "RR_INPUT" });
  });

  const hail = [{ role: "user", content: "Hail." }];
  it.each<[string, unknown, unknown]>([
    ["the template does not read", hail, { tool: [] }],
    ["are no object", hail, []],
    ["are not JSON", hail, { tools: [() => {}] }],
    ["contain themselves", hail, cyclic()],
    ["no messages use", "Hail.", { tools: [] }],
  ])("with variables that %s are RR_OPTION", async (_, prompt, templateVariables) => {
    const options = { ...greedy, templateVariables: templateVariables as TemplateVariables };
    const { result } = model().generate(prompt as [], options);
    await expect(result).rejects.toMatchObject({
      code: "RR_OPTION",
      message: expect.stringMatching(/^templateVariables/),
    });
  });

  it("leave the model usable if refused", async () => {
    const { result } = model().generate([{ role: "assistant", content: "Hail." }], greedy);
    await expect(result).rejects.toThrow();
    expect((await model().generate([5], greedy).result).ids).toHaveLength(8);
  });
});

it("of a conversation's next turn are only computed from the first new token on, with the same text", async () => {
  const directory = chattingModel(temporaryDirectory());
  const asked = "Who art thou that comest here so late, and what is thy will?";
  const question = { role: "user", content: asked };
  const answered = [
    question,
    { role: "assistant", content: "Thy love." },
    { role: "user", content: "Swear." },
  ];
  const results = [0, 1000].map(async (prefixCacheTokens) => {
    await using model = await loadModel(directory, { ranks: 2, prefixCacheTokens });
    await model.generate([question], greedy).result;
    return await model.generate(answered, greedy).result;
  });
  const [whole, continued] = await Promise.all(results);
  expect(continued!.text).toBe(whole!.text);
  const common = loadTokenizer(directory)!.encode(`USER:\n${asked}\n\n`).length;
  expect([whole, continued].map((result) => result!.usage.cachedTokens)).toEqual([0, common]);
});

it.runIf(process.platform === "linux")("leave no process behind when their model is closed", async () => {
  const before = children();
  const model = await loadModel(chattingModel(temporaryDirectory()), { ranks: 1 });
  await model.generate([{ role: "user", content: "Who art thou?" }], greedy).result;
  expect(children()).toHaveLength(before.length + 1);
  await model.close();
  expect(children()).toEqual(before);
});

/** The processes that this one has started, including any that have ended but were not waited for (proc(5)). */
function children(): string[] {
  const parentOf = (status: string): number => Number(/^PPid:\t(\d+)$/m.exec(status)?.[1]);
  const processes = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return processes.filter((id) => {
    try {
      return parentOf(readFileSync(`/proc/${id}/status`, "utf8")) === process.pid;
    } catch {
      return false; // It has ended since.
    }
  });
}

describe("messages to a model without a chat template", () => {
  const model = loadedModel(shakespeareDirectory, { ranks: 1 });

  it("are RR_NO_CHAT_TEMPLATE", async () => {
    const { result } = model().generate([{ role: "user", content: "Who art thou?" }], greedy);
    await expect(result).rejects.toMatchObject({ code: "RR_NO_CHAT_TEMPLATE" });
  });
});
