import { InvalidArgumentError } from "commander";
import { expect, it } from "vitest";
import { parseVariables } from "./template-variables.js";

it("reads variables of a chat template as JSON", () => {
  expect(parseVariables('{"enable_thinking": false, "tools": []}')).toEqual({
    enable_thinking: false,
    tools: [],
  });
});

it.each(["", "enable_thinking=false", "[]", "null", "3", '{"a": 1'])("refuses %j", (text) => {
  expect(() => parseVariables(text)).toThrow(InvalidArgumentError);
});
