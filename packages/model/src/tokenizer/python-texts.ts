import { attributeOf, call, type Expression } from "./rewritten-template.js";

/** What a template calls that {@link changedAsInPython} changed, to be among the variables that it is rendered with. */
export const pythonTexts = {
  ringrank_strip: (text: unknown, characters: unknown) => stripped(text, characters, true, true),
  ringrank_lstrip: (text: unknown, characters: unknown) => stripped(text, characters, true, false),
  ringrank_rstrip: (text: unknown, characters: unknown) => stripped(text, characters, false, true),
  ringrank_trim: (text: unknown, characters: unknown) => stripped(text ?? "", characters, true, true),
  ringrank_capitalize: capitalized,
};

const methods = ["strip", "lstrip", "rstrip", "capitalize"];
const filters = ["trim", "capitalize"];

/**
 * Strips texts as Python does: of the characters that it is told, which the library does not look at (templates of Qwen 3
 * ask for `lstrip("\n")`, which keeps the indentation of what follows), and of no byte order mark where it is told none.
 * Capitalizing lowers all but the first character.
 */
export function changedAsInPython(expression: Expression): Expression {
  const { type, callee, args, operand, filter } = expression;
  if (type === "CallExpression") {
    const name = attributeOf(callee as Expression);
    if (name === undefined || !methods.includes(name)) return expression;
    return call(`ringrank_${name}`, [(callee as Expression).object, ...(args as readonly unknown[])]);
  }
  if (type !== "FilterExpression") return expression;
  const { type: kind, value, callee: called, args: given = [] } = filter as Expression;
  const name = kind === "CallExpression" ? (called as Expression).value : value;
  if (!filters.includes(name as string)) return expression;
  return call(`ringrank_${name}`, [operand, ...(given as readonly unknown[])]);
}

/** As `str.isspace` in Python, of a character; separators of files to units, too, are spaces to it. */
function isSpace(character: string): boolean {
  return /^\p{White_Space}$/u.test(character) || (character >= "\x1c" && character <= "\x1f");
}

function stripped(text: unknown, characters: unknown, left: boolean, right: boolean): string {
  if (typeof text !== "string") throw new Error(`only texts can be stripped, got ${typeof text}`);
  const taken = typeof characters === "string" ? new Set(characters) : undefined;
  const isTaken = (character: string): boolean => taken?.has(character) ?? isSpace(character);
  let [start, end] = [0, text.length];
  while (left && start < end) {
    const first = String.fromCodePoint(text.codePointAt(start)!);
    if (!isTaken(first)) break;
    start += first.length;
  }
  while (right && end > start) {
    const last = [...text.slice(Math.max(end - 2, start), end)].at(-1)!;
    if (!isTaken(last)) break;
    end -= last.length;
  }
  return text.slice(start, end);
}

function capitalized(text: unknown): string {
  if (typeof text !== "string") throw new Error(`only texts can be capitalized, got ${typeof text}`);
  const [first = "", ...rest] = text;
  return first.toUpperCase() + rest.join("").toLowerCase();
}
