import { attributeOf, call, type Expression } from "./rewritten-template.js";

/**
 * The functions that templates changed by {@link changedAsInPython} call; they must be among the variables when
 * rendering.
 */
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
 * Makes string methods behave as in Python. Stripping removes the given characters, which the library ignores
 * (templates of Qwen 3 use `lstrip("\n")`, which keeps the indentation of what follows), and without an argument does
 * not remove a byte order mark. Capitalizing lowercases all characters except the first.
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

/** Like Python's `str.isspace` for one character; U+001C to U+001F also count as spaces. */
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
