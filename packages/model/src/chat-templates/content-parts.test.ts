import { describe, expect, it } from "vitest";
import { ChatTemplate } from "./chat-template.js";

const messages = [
  { role: "user", content: "What is it? " },
  { role: "assistant", content: "A cat." },
];
const written = (source: string): string => new ChatTemplate(source, {}, "the test").render(messages);

describe("a template that iterates over the parts of contents gets texts as parts", () => {
  // The results of transformers 5.24 with [{ type: "text", text }] as each content.
  it("as in LLaVA", () => {
    const source =
      "{% for message in messages %}{{ message['role'].upper() + ': ' }}" +
      "{% for content in message['content'] | selectattr('type', 'equalto', 'image') %}{{ '<image>\n' }}{% endfor %}" +
      "{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}" +
      "{{ content['text'] + ' '}}{% endfor %}{% endfor %}{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}";
    expect(written(source)).toBe("USER: What is it?  ASSISTANT: A cat. ASSISTANT:");
  });

  it("as in SmolVLM", () => {
    const source =
      "<|im_start|>{% for message in messages %}{{ message.role | capitalize }}" +
      "{% if message.content[0].type == 'image' %}{{ ':' }}{% else %}{{ ': ' }}{% endif %}" +
      "{% for line in message.content %}{% if line.type == 'text' %}{{ line.text }}" +
      "{% elif line.type == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n" +
      "{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}";
    expect(written(source)).toBe(
      "<|im_start|>User: What is it? <end_of_utterance>\nAssistant: A cat.<end_of_utterance>\nAssistant:",
    );
  });
});

it.each([
  [
    "checks whether contents are texts",
    "{% for m in messages %}{% if m.content is string %}{{ m.content }}" +
      "{% else %}{% for part in m.content %}{{ part.text }}{% endfor %}{% endif %}{% endfor %}",
    "What is it? A cat.",
  ],
  ["prints them", "{% for m in messages %}{{ m.content }}{% endfor %}", "What is it? A cat."],
  [
    "calls methods of texts",
    "{% for m in messages %}{% for line in m.content.split(' ') %}{{ line }}/{% endfor %}{% endfor %}",
    "What/is/it?//A/cat./",
  ],
])("a template that %s gets plain texts", (_, source, expected) => {
  expect(written(source)).toBe(expected);
});
