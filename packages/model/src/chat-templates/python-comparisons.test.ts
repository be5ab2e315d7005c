import { expect, it } from "vitest";
import { ChatTemplate } from "./chat-template.js";

// The results of Jinja 3.1 for Python.
it.each([
  ["nothing == none", false],
  ["none != nothing", true],
  ["{'a': none} == {'a': {}.a}", false],
  ["nothing == nowhere", true],
  ["none == none", true],
  ["0 == none", false],
  ["'' == false", false],
  ["'0' != 0", true],
  ["true == 1", true],
  ["1 == 1.0", true],
  ["[1, {'a': [true]}] == [1, {'a': [1]}]", true],
  ["[1, 2] == [1]", false],
  ["{'a': 1} == {'b': 1}", false],
  ["(1, 2, 3)[:2] == (1, 2)", true],
  ["({'a': 1} | items | first) == ('a', 1)", true],
  ["messages[0] == messages[-1]", true],
])("%s is %s", (comparison, expected) => {
  const template = new ChatTemplate(`{{ 'yes' if ${comparison} else 'no' }}`, {}, "the test");
  expect(template.render([{ role: "user", content: "" }])).toBe(expected ? "yes" : "no");
});
