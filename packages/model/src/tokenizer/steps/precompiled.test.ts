import { expect, it } from "vitest";
import { precompiledOf } from "./precompiled.js";

/**
 * SentencePiece 0.2, compiled from these rules, code points to code points: 41 → 61, FB01 → 66 69, 41 30A → E5, E9 →
 * 65, 1F600 → 3A 29, D → 20, D A → 20 20, 1 → nothing, 915 93F → 78, AC00 → AC01, 2460 → 31, 2460 2461 → 31 32.
 */
const precompiled_charsmap =
  "AAQAAAAMAAAAAACAAQ0AAIoRAAADAACAAQAAgBAAAIAZAACAqQUAABIAAICkUAIAlZwDAOCUAgCkiAIADS0AAAotAAC/BQAAFwAA" +
  "gJGEAgCgHQAABgAAgJGIAgChBQAACAAAgI0AAQBBDQAADgAAgIAdAAAcAACArAgCAIEFAAAUAACAr9QCAJ9sAgCYBAIAgB0AAAsA" +
  "AIAnAAAAJAAAACUAAAAqAAAAKwAAACgAAAApAAAALgAAAC8AAAAsAAAALQAAADIAAAAzAAAAMAAAADEAAAA2AAAANwAAADQAAAA1" +
  "AAAAOgAAADsAAAA4AAAAOQAAAD4AAAA/AAAAPAAAALCQAgBCAAAAQwAAAEERAQBBAAAARgAAAEcAAABEAAAARQAAAEoAAABLAAAA" +
  "SAAAAEkAAABOAAAATwAAAEwAAABNAAAAUgAAAFMAAABQAAAAUQAAAFYAAABXAAAAVAAAAFUAAABaAAAAWwAAAFgAAABZAAAAXgAA" +
  "AF8AAABcAAAAXQAAAGIAAABjAAAAYAAAAGEAAABmAAAAZwAAAGQAAABlAAAAagAAAGsAAABoAAAAaQAAAG4AAABvAAAAbAAAAG0A" +
  "AAByAAAAcwAAAHAAAABxAAAAdgAAAHcAAAB0AAAAdQAAAHoAAAB7AAAAeAAAAHkAAAB+AAAAfwAAAHwAAAB9AAAAggAAAIMAAACA" +
  "AAAAgQAAAIYAAACHAAAAhAAAAIUAAACKAAAAiwAAAIgAAACJAAAAjgAAAI8AAACMAAAAjQAAAJIAAACTAAAAkAAAAJEAAACWAAAA" +
  "lwAAAJQAAACVAAAAmgAAAJsAAACYAAAAmQAAAJ4AAACfAAAAnAAAAJ0AAACiAAAAowAAAKAAAAChAAAApgAAAKcAAACkAAAApQAA" +
  "AKoAAACrAAAAqAAAAKkAAACuAAAArwAAAKwAAACtAAAAsgAAALMAAACwAAAAsQAAALYAAAC3AAAAtAAAALUAAAC6AAAAuwAAALgA" +
  "AAC5AAAAvgAAAL8AAAC8AAAAvQAAAMOEAQDDAAAAwAAAAMEAAADGAAAAxwAAAMQAAADFAAAAygAAAMsAAADMDAEAyQAAAM4AAADP" +
  "AAAAzAAAAM0AAADSAAAA0wAAANAAAADRAAAA1gAAANcAAADUAAAA1QAAANoAAADbAAAA2AAAANkAAADeAAAA3wAAANwAAADdAAAA" +
  "4gAAAOKIAQDgAAAA4DQBAOYAAADnAAAA5AAAAOUAAADqAAAA6pgBAOgAAADpAAAA73QBAO8AAADsAAAA7QAAAPIAAADzAAAA8AAA" +
  "APA0AQD2AAAA9wAAAOLIAQD1AAAA+gAAAPsAAAD4AAAA+QAAAP4AAAD/AAAA/AAAAP0AAAAAIAAgIAAxADEyADopAEIAYQBlAGZp" +
  "AHgAw6UA6rCBAA==";

// The results of tokenizers 0.23.3 for Python.
it.each([
  ["a character with a rule", "ABBA", "aBBa"],
  ["a character that becomes several", "ﬁ\u{1f600}", "fi:)"],
  ["a character that becomes nothing", "\u0001a", "a"],
  ["a grapheme with a rule for its beginning", "A\u030aA", "aa"],
  ["a line end, which is one grapheme", "a\r\nb\rc", "a b c"],
  ["a line end next to non-ASCII characters", "Aé\r\né\r\nb", "ae e b"],
  ["the characters of a long grapheme", "\uac00\u11a8", "\uac01\u11a8"],
  ["two graphemes with a rule for the pair, which is not used", "①②①", "1②1"],
  ["a text without rules", "\u0915\u093f e\u0301👩\u200d👩", "\u0915\u093f e\u0301👩\u200d👩"],
])("normalizes %s: %j to %j", (_, text, expected) => {
  expect(precompiledOf({ precompiled_charsmap })(text)).toBe(expected);
});

it("returns a text even for a broken trie", () => {
  const bytes = Buffer.from(precompiled_charsmap, "base64");
  for (let at = 4; at < bytes.length; at += 7) {
    const broken = Buffer.from(bytes);
    broken[at]! ^= 0xff;
    const normalize = precompiledOf({ precompiled_charsmap: broken.toString("base64") });
    expect(typeof normalize("ABBA ﬁ é\u{1f600}")).toBe("string");
  }
});
