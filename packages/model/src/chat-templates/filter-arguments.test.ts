import { RingrankError } from "@ringrank/errors";
import { expect, it } from "vitest";
import { ChatTemplate } from "./chat-template.js";

const written = (expression: string): string =>
  new ChatTemplate(`{{ ${expression} }}`, {}, "the test").render([
    { role: "user", content: "hi" },
    { role: "assistant", content: "ho" },
  ]);

// The results of Jinja 3.1 for Python.
it.each([
  ["nothing | default(default_value='x')", "x"],
  ["'' | default(default_value='x', boolean=true)", "x"],
  ["'' | default(boolean=true) ~ '.'", "."],
  ["'a' | default('x')", "a"],
  ["'' | default('x', true)", "x"],
  ["['a', 'b'] | join(d='-')", "a-b"],
  ["['a', 'b'] | join('-')", "a-b"],
  ["'ab' | join('-')", "a-b"],
  ["messages | join(', ', attribute='content')", "hi, ho"],
  ["messages | join('+', 'role')", "user+assistant"],
  ["messages | join(attribute='content')", "hiho"],
])("%s is %j", (expression, expected) => {
  expect(written(expression)).toBe(expected);
});

it.each(["'' | default(value='x')", "['a'] | join('-', d='+')"])("refuses %s", (expression) => {
  expect(() => written(expression)).toThrow(RingrankError);
});
