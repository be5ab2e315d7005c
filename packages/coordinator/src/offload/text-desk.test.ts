import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { shakespeareDirectory } from "../../../model/src/testing/fixtures.js";
import { TextDesk } from "../../dist/offload/text-desk.js";

/** What a text's length alone can tell: a lower bound for its number of tokens. */
const certainlyTooLong = {
  code: "RR_CONTEXT",
  message: expect.stringMatching(/at most 512 tokens.* got a text of at least \d+/),
};

it("refuses a text that is certainly too long before tokenizing it", () => {
  const desk = new TextDesk();
  desk.open(shakespeareDirectory);
  const text = "Juliet ".repeat(10_000);
  expect(() => desk.encode(text, 512)).toThrow(expect.objectContaining(certainlyTooLong));
  expect(desk.encode(text).length).toBeGreaterThan(512);
});

it("refuses a conversation whose text is certainly too long", async () => {
  const desk = new TextDesk();
  desk.open(
    temporaryDirectory({
      "tokenizer.json": readFileSync(`${shakespeareDirectory}/tokenizer.json`, "utf8"),
      "chat_template.jinja": "{{ messages[0].content }}",
    }),
  );
  const messages = [{ role: "user", content: "Juliet ".repeat(10_000) }];
  await expect(desk.encodeChat({ messages, variables: {} }, 512)).rejects.toMatchObject(certainlyTooLong);
});
