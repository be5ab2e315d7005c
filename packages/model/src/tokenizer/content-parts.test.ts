import { describe, expect, it } from "vitest";
import { ChatTemplate } from "./chat-template.js";

const messages = [
  { role: "user", content: "What is it? " },
  { role: "assistant", content: "A cat." },
];
const written = (source: string): string => new ChatTemplate(source, {}, "the test").render(messages);

describe("a template that goes through the parts of contents has texts as such", () => {
  // As transformers 5.24 renders them where each content is [{ type: "text", text }].
  it("in the manner of LLaVA", () => {
    const source =
      "{% for message in messages %}{{ message['role'].upper() + ': ' }}" +
      "{% for content in message['content'] | selectattr('type', 'equalto', 'image') %}{{ '<image>\n' }}{% endfor %}" +
      "{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}" +
      "{{ content['text'] + ' '}}{% endfor %}{% endfor %}{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}";
    expect(written(source)).toBe("USER: What is it?  ASSISTANT: A cat. ASSISTANT:");
  });

  it("in the manner of SmolVLM", () => {
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
    "asks whether they are texts",
    "{% for m in messages %}{% if m.content is string %}{{ m.content }}" +
      "{% else %}{% for part in m.content %}{{ part.text }}{% endfor %}{% endif %}{% endfor %}",
    "What is it? A cat.",
  ],
  ["prints them", "{% for m in messages %}{{ m.content }}{% endfor %}", "What is it? A cat."],
  [
    "calls what texts have",
    "{% for m in messages %}{% for line in m.content.split(' ') %}{{ line }}/{% endfor %}{% endfor %}",
    "What/is/it?//A/cat./",
  ],
])("a template that %s has texts", (_, source, expected) => {
  expect(written(source)).toBe(expected);
});
