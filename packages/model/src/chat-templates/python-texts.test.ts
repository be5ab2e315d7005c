import { expect, it } from "vitest";
import { ChatTemplate } from "./chat-template.js";

// The results of Jinja 3.1 for Python.
it.each([
  [String.raw`'\n  x\n\n'.strip('\n')`, "  x"],
  [String.raw`'\n\n  x\n'.lstrip('\n')`, "  x\n"],
  [String.raw`'x \n\n'.rstrip('\n')`, "x "],
  ["'xyabyx'.strip('yx')", "ab"],
  ["'😀a😀'.strip('😀')", "a"],
  ["'xax' | trim('x')", "a"],
  ["'  a b '.strip()", "a b"],
  ["'  a b ' | trim", "a b"],
  ["' a '.lstrip() ~ '|' ~ ' a '.rstrip()", "a | a"],
  ["'\u001c\u0085\u3000a\u2028' | trim", "a"],
  ["'\ufeffa'.strip() | trim", "\ufeffa"],
  ["messages[0].content | trim", "\ufeffhi"],
  ["'a b'.split(' ')[-1].strip('b') ~ '.'", "."],
  ["nothing | trim ~ '.'", "."],
  ["'' | trim ~ '.'", "."],
  ["'aBC d' | capitalize", "Abc d"],
  ["'éA'.capitalize()", "Éa"],
])("%s is %j", (expression, expected) => {
  const template = new ChatTemplate(`{{ ${expression} }}`, {}, "the test");
  expect(template.render([{ role: "user", content: "\ufeffhi " }])).toBe(expected);
});

it("Qwen 3's removal of thoughts keeps the indentation of the first line", () => {
  const source =
    "{%- set content = messages[0].content %}" +
    "{%- set thought = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}" +
    "{{- thought }}|{{ content.split('</think>')[-1].lstrip('\\n') }}";
  const content = "<think>\n  why \n</think>\n\n    x = 1\n";
  const written = new ChatTemplate(source, {}, "the test").render([{ role: "assistant", content }]);
  expect(written).toBe("  why |    x = 1\n");
});
