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
])("of anything thrown there is a text: %s", (_, thrown, text) => {
  expect(messageOf(thrown)).toBe(text);
});

it("does not let an object decide how it is shown", () => {
  expect(messageOf({ [inspect.custom]: throwing })).toContain("[Function: throwing]");
});

it("never throws: if looking at a value does, it says so", () => {
  const hostile = Object.defineProperty({}, Symbol.toStringTag, { get: throwing, enumerable: true });
  // Node 24 looks at getters without calling them.
  const shown = /^(a value that cannot be shown|\{ Symbol\(Symbol\.toStringTag\): \[Getter\] \})$/;
  expect(messageOf(hostile)).toMatch(shown);
});
