import type { TextStep } from "../tokenizer-json.js";
import { byteSplitterOf } from "./byte-level.js";
import { characterField, countField, fieldOf, flagField, stepsField, textField } from "./fields.js";
import { metaspaceOf } from "./metaspace.js";
import { literal, patternOf, space, wordCharacters } from "./pattern.js";
import { type Splitter, splitterOf } from "./split.js";

/**
 * Splits a piece of a text further, usually into words. If it removes the beginning of the piece, its first result is
 * empty, to show that the next one is not at the beginning.
 *
 * @param isBeginning whether the text begins with this piece
 */
export type PreTokenizer = (piece: string, isBeginning: boolean) => readonly string[];

/**
 * The pre-tokenizer of a tokenizer.json, applied to a normalized text (`pre_tokenizers` of
 * https://github.com/huggingface/tokenizers).
 *
 * @throws Error for an invalid step
 */
export function preTokenizerOf(step: TextStep | null | undefined): PreTokenizer {
  if (step == null) return (piece) => [piece];
  switch (step.type) {
    case "Sequence":
      return inTurn(stepsField<TextStep>(step, "pretokenizers").map(preTokenizerOf));
    case "BertPreTokenizer":
      return inTurn([removing(space), splitterOf(regex(punctuation), "isolated")]);
    case "ByteLevel":
      return byteSplitterOf(step);
    case "CharDelimiterSplit":
      return removing(literal(characterField(step, "delimiter")));
    case "Digits":
      return splitterOf(
        regex("\\p{N}"),
        flagField(step, "individual_digits", false) ? "isolated" : "contiguous",
      );
    case "FixedLength":
      return fixedLength(countField(step, "length", 1, 5));
    case "Metaspace":
      return metaspaceOf(step);
    case "Punctuation":
      return splitterOf(regex(punctuation), textField(step, "behavior", "isolated"));
    case "Split":
      return splitterOf(patternOf(step), textField(step, "behavior"), fieldOf(step, "invert") === true);
    case "Whitespace":
      return splitterOf(
        regex(`[${wordCharacters}]+|[^${space}${wordCharacters}]+`),
        "removed",
        /* inverted */ true,
      );
    case "WhitespaceSplit":
      return removing(space);
    default:
      throw new Error(`Unknown PreTokenizer type: ${step.type}`);
  }
}

const punctuation = "[\\p{P}!-/:-@\\[-`{-~]";

function regex(source: string): RegExp {
  return new RegExp(source, "gu");
}

function removing(source: string): Splitter {
  return splitterOf(regex(`(?:${source})+`), "removed");
}

function inTurn(steps: readonly PreTokenizer[]): PreTokenizer {
  return (piece, isBeginning) =>
    steps.reduce<readonly string[]>(
      (pieces, step) => {
        const results: string[] = [];
        pieces.forEach((each, at) => {
          if (each === "") {
            if (at === 0) results.push("");
            return;
          }
          for (const result of step(each, isBeginning && at === 0)) results.push(result);
        });
        return results;
      },
      [piece],
    );
}

/** @param length in characters */
function fixedLength(length: number): PreTokenizer {
  return (piece) => piece.match(new RegExp(`[\\s\\S]{1,${length}}`, "gu")) ?? [];
}
