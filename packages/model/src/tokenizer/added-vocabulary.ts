import { space, wordCharacters } from "./steps/pattern.js";
import type { AddedToken } from "./tokenizer-json.js";
import { Trie } from "./trie.js";

/** A part of a text: the id of an added token, or text in between that has yet to be tokenized. */
export type Section = number | { readonly text: string; readonly isBeginning: boolean };

const endsWithWord = new RegExp(`[${wordCharacters}]$`, "u");
const startsWithWord = new RegExp(`^[${wordCharacters}]`, "u");
const isSpace = new RegExp(`^${space}`, "u");

/**
 * Finds added tokens (`tokenizer/added_vocabulary.rs` of https://github.com/huggingface/tokenizers): first those that
 * are not normalized, in the original text; then those that are, in the rest of the text, normalized. At each position
 * the longest match counts, even if it is not a whole word where it has to be one.
 */
export class AddedVocabulary {
  readonly #normalize: (text: string) => string;
  readonly #plain: Finder;
  readonly #normalized: Finder;

  constructor(tokens: readonly AddedToken[], normalize: (text: string) => string) {
    const isNormalized = ({ normalized, special = false }: AddedToken): boolean => normalized ?? !special;
    this.#normalize = normalize;
    this.#plain = new Finder(
      tokens.filter((token) => !isNormalized(token)),
      (text) => text,
    );
    this.#normalized = new Finder(tokens.filter(isNormalized), normalize);
  }

  sectionsOf(text: string): Section[] {
    return this.#plain.sectionsOf({ text, isBeginning: true }).flatMap((section) => {
      if (typeof section === "number") return [section];
      return this.#normalized.sectionsOf({ ...section, text: this.#normalize(section.text) });
    });
  }
}

const none = -1;

class Finder {
  readonly #tokens: readonly AddedToken[];
  readonly #trie = new Trie();

  constructor(tokens: readonly AddedToken[], normalize: (text: string) => string) {
    this.#tokens = tokens;
    tokens.forEach(({ content }, at) => {
      this.#trie.add(normalize(content), at);
    });
  }

  sectionsOf({ text, isBeginning }: Exclude<Section, number>): Section[] {
    const sections: Section[] = [];
    let end = 0;
    const addText = (to: number): void => {
      if (end < to) sections.push({ text: text.slice(end, to), isBeginning: isBeginning && end === 0 });
    };
    for (const { token, start, stop } of this.#matchesIn(text)) {
      addText(token.lstrip ? spacesBefore(text, start) : start);
      sections.push(token.id);
      end = token.rstrip ? spacesAfter(text, stop) : stop;
    }
    addText(text.length);
    return sections;
  }

  *#matchesIn(text: string): Generator<{ token: AddedToken; start: number; stop: number }> {
    if (this.#tokens.length === 0) return;
    let [longest, stop] = [none, 0];
    const found = (at: number, end: number): void => {
      [longest, stop] = [at, end];
    };
    for (let start = 0; start < text.length; start = longest === none ? start + 1 : stop) {
      longest = none;
      this.#trie.search(text, start, found);
      const token = this.#tokens[longest];
      if (token !== undefined && (!token.single_word || isAlone(text, start, stop)))
        yield { token, start, stop };
    }
  }
}

/** Whether no word ends directly before `start`, and none starts at `stop`. Two units hold any character. */
function isAlone(text: string, start: number, stop: number): boolean {
  return (
    !endsWithWord.test(text.slice(Math.max(start - 2, 0), start)) &&
    !startsWithWord.test(text.slice(stop, stop + 2))
  );
}

function spacesBefore(text: string, end: number): number {
  let start = end;
  while (start > 0 && isSpace.test(text.charAt(start - 1))) start -= 1;
  return start;
}

function spacesAfter(text: string, start: number): number {
  let end = start;
  while (isSpace.test(text.charAt(end))) end += 1;
  return end;
}
