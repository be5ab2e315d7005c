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

it("does not refuse a text that may just have room", () => {
  const desk = new TextDesk();
  desk.open(shakespeareDirectory);
  expect(() => desk.encode("a", 1)).not.toThrow();
});

it("refuses text for a model without a tokenizer", () => {
  const desk = new TextDesk();
  desk.open(temporaryDirectory());
  expect(() => desk.encode("a")).toThrow(expect.objectContaining({ code: "RR_NO_TOKENIZER" }));
});

it.each<[string, (desk: TextDesk, half: number) => void]>([
  [
    "has ended with a replacement for it",
    (desk, half) => expect(desk.detokenize(0, half, true).text).toBe("\ufffd"),
  ],
  [
    "is forgotten",
    (desk, half) => {
      desk.detokenize(0, half, false);
      desk.forget(0);
    },
  ],
])("has nothing of half a character, once its generation %s", (_, give) => {
  const desk = new TextDesk();
  desk.open(shakespeareDirectory);
  const [half, ...others] = desk.encode("🏴");
  give(desk, half!);
  expect(others.map((id) => desk.detokenize(0, id, false).text).join("")).not.toContain("🏴");
});

it("a token's text may depend on its neighbours, if the tokenizer joins words", () => {
  const desk = new TextDesk();
  const model = { type: "WordPiece", vocab: { a: 0, b: 1 }, unk_token: "a" };
  const json = { added_tokens: [], model, decoder: { type: "WordPiece" } };
  desk.open(temporaryDirectory({ "tokenizer.json": JSON.stringify(json) }));
  expect([0, 1].map((id) => desk.detokenize(0, id, false))).toEqual([
    { text: "a", isSettled: false },
    { text: " b", isSettled: false },
  ]);
});
