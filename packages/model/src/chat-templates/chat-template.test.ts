import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { type ChatMessage, ChatTemplate, loadChatTemplate, type TemplateVariables } from "./chat-template.js";

interface Reference {
  readonly tokens: Record<string, string>;
  readonly conversations: Record<string, ChatMessage[]>;
  /** By conversation; none for others. */
  readonly variables: Record<string, TemplateVariables>;
  readonly templates: readonly {
    readonly name: string;
    readonly template: string;
    readonly cases: readonly { conversation: string; rendered?: string; refused?: string }[];
  }[];
}

/** The results of transformers: test/fixtures/make/chat_templates.py. */
const { tokens, conversations, variables, templates } = JSON.parse(
  readFileSync(new URL("../../../../test/fixtures/chat-templates.json", import.meta.url), "utf8"),
) as Reference;

describe.each(templates)("a template of $name", ({ template, cases }) => {
  it.each(cases)("writes $conversation as transformers does", ({ conversation, rendered, refused }) => {
    const render = () =>
      new ChatTemplate(template, tokens, "the fixture").render(
        conversations[conversation]!,
        variables[conversation],
      );
    if (refused === undefined) expect(render()).toBe(rendered);
    else expect(expectCode("RR_INPUT", render).message).toContain(refused);
  });
});

// The results of transformers 5.24.
it.each([
  ["ASSISTANT: {% generation %}{{- 'a' -}}{% endgeneration %} b", "ASSISTANT: a b"],
  ["{{ 'a' -}}\t{% generation %} b{%- endgeneration %}\n\nc", "a b\nc"],
  ["{{ 'a' }} {%- generation -%} b {%- endgeneration -%} c", "abc"],
  ["a\n  {% generation %}\n  b\n  {% endgeneration %}\nc", "a\n  b\nc"],
])("a generation block strips white space like other blocks: %j", (source, expected) => {
  const template = new ChatTemplate(source, {}, "the test");
  expect(template.render([{ role: "user", content: "" }])).toBe(expected);
});

describe("what a template does not read is refused:", () => {
  const template = new ChatTemplate(
    "{{ messages[0].content }}{{ messages[0]['mood'] }}{{ tools }}",
    {},
    "the test",
  );
  const said = { role: "user", content: "Hail." };

  it.each(["tool", "messages", "add_generation_prompt"])("a variable %s", (name) => {
    const error = expectCode("RR_OPTION", () => template.render([said], { [name]: [] }));
    expect(error.message).toContain(`"${name}"`);
  });

  it.each([
    ["a loop has one of this name", "{% for tool in tools %}{{ tool }}{% endfor %}"],
    ["a loop's condition has", "{% for tool in tools if tool %}{% endfor %}"],
    ["a loop has one of two", "{% for name, tool in tools | items %}{{ tool }}{% endfor %}"],
    ["a macro has one of this name", "{% macro one(tool, other=1) %}{{ tool }}{% endmacro %}{{ one(1) }}"],
    ["the template sets it", "{% set tool = 1 %}"],
    ["an attribute has this name", "{{ messages[0].tool }}"],
    ["a filter's argument has", "{{ messages | map(attribute='tool') | join }}"],
  ])("a variable, although %s", (_, source) => {
    const other = new ChatTemplate(source, {}, "the test");
    expectCode("RR_OPTION", () => other.render([said], { tool: 1 }));
  });

  it.each([
    ["a loop goes over it", "{% for each in tool %}{{ each }}{% endfor %}"],
    ["a loop of its name does", "{% for tool in tool %}{{ tool }}{% endfor %}"],
    ["it is read behind a loop", "{% for tool in [] %}{% endfor %}{{ tool[0] }}"],
    ["it is a parameter's default", "{% macro one(each=tool) %}{{ each[0] }}{% endmacro %}{{ one() }}"],
    ["it is set from itself", "{% set tool = tool or [] %}{{ tool[0] }}"],
    ["it is a filter's argument", "{{ missing | default(tool[0]) }}"],
  ])("but not a variable if %s", (_, source) => {
    const other = new ChatTemplate(source, {}, "the test");
    expect(other.render([said], { tool: ["x"] })).toBe("x");
  });

  it.each(["tool_calls", "moods"])("a message's %s", (field) => {
    const error = expectCode("RR_INPUT", () => template.render([said, { ...said, [field]: [] }]));
    expect(error.message).toContain(`message 1: the model's chat template does not read "${field}"`);
  });

  it("but not what it looks up by its name", () => {
    const mood = { ...said, mood: "merry" } as ChatMessage;
    expect(template.render([mood], { tools: [] })).toBe("Hail.merry[]");
  });

  it.each(["tool_call_id", "name", "reasoning_content"] as const)("but not a message's %s", (field) => {
    expect(template.render([{ ...said, [field]: "x" }])).toBe("Hail.None");
  });
});

describe("the chat template of a directory", () => {
  const question = conversations["a question"]!;
  const two = [
    { name: "tool_use", template: "with tools" },
    { name: "default", template: "others" },
  ];
  const rendered = (files: Record<string, string>, withTools = false): string | undefined =>
    loadChatTemplate(temporaryDirectory(files), withTools)?.render(question);

  it("is in tokenizer_config.json, with the tokens it may write", () => {
    const config = {
      chat_template: "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}",
      bos_token: "<s>",
      eos_token: { content: "</s>", lstrip: false },
    };
    expect(rendered({ "tokenizer_config.json": JSON.stringify(config) })).toBe("<s>Who art thou?</s>");
  });

  it("may write tokens by names of the model's own, as in transformers", () => {
    const config = {
      chat_template: "{{ image_token }}{{ audio_token }}{{ end }}",
      image_token: "<image>",
      audio_token: "<sound>",
      extra_special_tokens: { audio_token: "<audio>", end: { content: "<end>" } },
    };
    expect(rendered({ "tokenizer_config.json": JSON.stringify(config) })).toBe("<image><audio><end>");
  });

  // The texts of transformers 5.18 and 5.24.
  it.each<[string, object, string]>([
    ["finds tokens in special_tokens_map.json, before those of tokenizer_config.json", {}, "<s><|other|>"],
    ["does not, if tokenizer_config.json lists the added tokens", { added_tokens_decoder: {} }, "</s>"],
  ])("%s", (_, listed, text) => {
    const chat_template = "{{ bos_token }}{{ eos_token }}";
    const config = { chat_template, eos_token: "</s>", ...listed };
    const map = { bos_token: { content: "<s>" }, eos_token: "<|other|>" };
    expect(
      rendered({
        "tokenizer_config.json": JSON.stringify(config),
        "special_tokens_map.json": JSON.stringify(map),
      }),
    ).toBe(text);
  });

  it("is the default one of several", () => {
    const chat_template = [
      { name: "tool_use", template: "tools" },
      { name: "default", template: "{{ messages | length }}" },
    ];
    expect(rendered({ "tokenizer_config.json": JSON.stringify({ chat_template }) })).toBe("1");
  });

  it.each<[string, Record<string, string>]>([
    ["the list", { "tokenizer_config.json": JSON.stringify({ chat_template: two }) }],
    [
      "additional_chat_templates",
      { "chat_template.jinja": "others", "additional_chat_templates/tool_use.jinja": "with tools" },
    ],
  ])("is tool_use of %s, for a conversation with tools only", (_, files) => {
    expect([rendered(files, true), rendered(files)]).toEqual(["with tools", "others"]);
  });

  it("is the only one, with tools as well", () => {
    expect(rendered({ "chat_template.jinja": "any" }, true)).toBe("any");
  });

  it("is chat_template.jinja rather than any other", () => {
    const config = JSON.stringify({ chat_template: "config" });
    expect(rendered({ "tokenizer_config.json": config, "chat_template.jinja": "file" })).toBe("file");
  });

  it("is undefined if there is neither", () => {
    expect(rendered({ "tokenizer_config.json": "{}" })).toBeUndefined();
    expect(rendered({})).toBeUndefined();
  });

  it.each([
    ["is not valid Jinja", "{% for message in %}"],
    ["uses an unsupported feature", "{{ messages | no_such_filter }}"],
  ])("is RR_FILE_FORMAT if it %s", (_, template) => {
    expectCode("RR_FILE_FORMAT", () => rendered({ "chat_template.jinja": template }));
  });

  it.each([
    ["neither a text nor a list", 3],
    ["a list without a default", [{ name: "tool_use", template: "tools" }]],
  ])("is RR_FILE_FORMAT if tokenizer_config.json has %s", (_, chat_template) => {
    const error = expectCode("RR_FILE_FORMAT", () =>
      rendered({ "tokenizer_config.json": JSON.stringify({ chat_template }) }),
    );
    expect(error.message).toContain("tokenizer_config.json");
  });

  it("is RR_FILE_FORMAT if chat_template.jinja is not a file", () => {
    expectCode("RR_FILE_FORMAT", () => rendered({ "chat_template.jinja/inside": "" }));
  });

  it("ends lines as Jinja does, whatever the file's line ends", () => {
    const lines = "{% if true %}\n<|{{ messages[0].role }}|>\n{% endif %}\nend";
    for (const end of ["\n", "\r\n", "\r"]) {
      expect(rendered({ "chat_template.jinja": lines.replaceAll("\n", end) })).toBe("<|user|>\nend");
    }
  });

  it("keeps empty lines at its beginning", () => {
    expect(rendered({ "chat_template.jinja": "\n\n{{ messages[0].role }}" })).toBe("\n\nuser");
  });
});
