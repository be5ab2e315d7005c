import type { TextStep } from "./tokenizer-json.js";

/** Where ByteLevel cuts a text (pre_tokenizers/byte_level.rs of https://github.com/huggingface/tokenizers). */
const byteLevel = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
/** What a word has in Rust's regular expressions. */
const wordCharacters = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}";
const punctuation = "\\p{P}!-/:-@\\[-`{-~";

/**
 * A pre-tokenizer as a Split, where the tokenizer library does otherwise than the one in Rust: it takes a byte order mark
 * for a space and U+0085 for none but in patterns that it is given, numbers and words to be ASCII, all punctuation to be
 * cut in runs, and what a Split merges to be isolated. A ByteLevel that puts a space before a text has to do so before it
 * cuts, and stays; so do all other steps.
 */
export function asSplit(step: TextStep): TextStep {
  const { type, add_prefix_space = false, use_regex = true, individual_digits = false } = step;
  switch (type) {
    case "ByteLevel":
      if (add_prefix_space || !use_regex) return step;
      return { type: "Sequence", pretokenizers: [kept(byteLevel), { ...step, use_regex: false }] };
    case "BertPreTokenizer":
      return kept(`[${punctuation}]|[^\\s${punctuation}]+`);
    case "Digits":
      return splitAt("\\p{N}", individual_digits ? "isolated" : "contiguous");
    case "Punctuation":
      return splitAt(`[${punctuation}]`, behaviorOf(step));
    case "Split":
      return asPlainSplit(step);
    case "Whitespace":
      return kept(`[${wordCharacters}]+|[^\\s${wordCharacters}]+`);
    case "WhitespaceSplit":
      return kept("\\S+");
    default:
      return step;
  }
}

function behaviorOf({ behavior = "isolated" }: TextStep): string {
  return behavior.toLowerCase();
}

/** What a Split that cuts at all but its pattern does at the pattern. */
const inverted = new Map([
  ["mergedwithprevious", "mergedwithnext"],
  ["mergedwithnext", "mergedwithprevious"],
]);

function asPlainSplit(step: TextStep): TextStep {
  const { Regex, String: text } = step.pattern ?? {};
  const cut = Regex ?? text?.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  if (cut === undefined) return step;
  const behavior = behaviorOf(step);
  if (step.invert !== true) return splitAt(cut, behavior);
  return behavior === "removed" ? kept(cut) : splitAt(cut, inverted.get(behavior) ?? behavior);
}

/**
 * Cuts a text at what the pattern `cut` finds, of which becomes what `behavior` says (`SplitDelimiterBehavior` in Rust).
 * What lies between is found by lazy loops: greedy ones take the engine's stack, character by character.
 */
function splitAt(cut: string, behavior: string): TextStep {
  const found = ungrouped(cut);
  const upToNext = `(?=${found}|\\z)`;
  switch (behavior) {
    case "isolated":
      return isolated(cut);
    case "contiguous":
      return isolated(`(?:${cut})+`);
    case "removed":
      return { type: "Split", pattern: { Regex: found }, behavior: "Removed", invert: false };
    case "mergedwithprevious":
      return kept(`[\\s\\S]*?(?:${found})|[\\s\\S]+`);
    case "mergedwithnext":
      return kept(`(?:${found})[\\s\\S]*?${upToNext}|[\\s\\S]+?${upToNext}`);
    default:
      throw new Error(`Unknown behavior of a pre-tokenizer: ${behavior}`);
  }
}

/**
 * The pattern without groups that remember what they find: the library would take that for a piece of what is removed,
 * and no name may be given twice. One that refers to its groups is no pattern then, and is refused.
 */
function ungrouped(pattern: string): string {
  return pattern.replace(/\\.|\[(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|\((?:(?!\?)|\?<\w+>)/gs, (part) =>
    part.startsWith("(") ? "(?:" : part,
  );
}

/** What the pattern finds, and all between, each a piece. */
function isolated(Regex: string): TextStep {
  return { type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false };
}

/** What the pattern finds, each a piece, and nothing between. */
function kept(Regex: string): TextStep {
  return { type: "Split", pattern: { Regex }, behavior: "Removed", invert: true };
}
