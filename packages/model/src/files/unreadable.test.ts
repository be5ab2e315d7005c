import { RingrankError } from "@ringrank/errors";
import { expect, test } from "vitest";
import { unreadable } from "./unreadable.js";

test.each([
  ["ENOENT", "download the model again"],
  ["EACCES", "let this user read it"],
  ["EMFILE", "ulimit -n"],
])("what the system says of a file is RR_MISSING_FILE, with what to do: %s", (code, advice) => {
  const cause = Object.assign(new Error(`${code}: no, open '/model/config.json'`), { code });
  const error = unreadable(cause);
  expect(error).toMatchObject({ code: "RR_MISSING_FILE", cause });
  expect(error.message).toMatch(`${code}: no, open '/model/config.json'; `);
  expect(error.message).toMatch(advice);
});

test("an error with a code of its own is unchanged", () => {
  const error = new RingrankError("RR_FILE_FORMAT", "expected a regular file");
  expect(unreadable(error)).toBe(error);
});
