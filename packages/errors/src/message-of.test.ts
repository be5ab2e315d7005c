import { inspect } from "node:util";
import { expect, it } from "vitest";
import { messageOf } from "./message-of.js";

const withoutPrototype = Object.create(null);
const throwing = () => {
  throw new Error("not shown");
};

it.each<[string, unknown, string]>([
  ["an error is its message", new TypeError("boom"), "boom"],
  ["a text is itself", "enough", "enough"],
  ["a symbol has a text", Symbol("why"), "Symbol(why)"],
  ["nothing has a text", undefined, "undefined"],
  ["null has a text", null, "null"],
  ["an object is shown with its fields", { status: 500 }, "{ status: 500 }"],
  ["an object without a prototype is shown, too", withoutPrototype, "[Object: null prototype] {}"],
  ["a function is not shown with its source", throwing, "[Function: throwing]"],
  [
    "a message that is no text is shown",
    Object.assign(new Error(), { message: withoutPrototype }),
    "[Object: null prototype] {}",
  ],
  [
    "an object does not decide how it is shown",
    { [inspect.custom]: throwing },
    "{ [Symbol(nodejs.util.inspect.custom)]: [Function: throwing] }",
  ],
])("of anything thrown there is a text: %s", (_, thrown, text) => {
  expect(messageOf(thrown)).toBe(text);
});

it("says so if looking at a value fails", () => {
  const unprintable = Object.assign(new Error(), { message: withoutPrototype });
  expect(messageOf({ unprintable })).toBe("a value that cannot be shown");
});
