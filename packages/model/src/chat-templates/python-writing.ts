import { callWithValues, type Expression, type RuntimeValue } from "./rewritten-template.js";

/**
 * The function that templates changed by {@link writtenAsInPython} call; it must be among the variables when rendering.
 */
export const pythonWriting = {
  ringrank_text: (values: readonly RuntimeValue[]) => values.map(textOf).join(""),
};

/** What contains statements whose values are written. */
const blocks = ["body", "alternate", "defaultBlock"];

/** What writes itself: statements, and the text between them. Everything else is an expression. */
const statements: ReadonlySet<string> = new Set([
  "Break",
  "CallStatement",
  "Comment",
  "Continue",
  "FilterStatement",
  "For",
  "If",
  "Macro",
  "Set",
  "StringLiteral",
]);

/**
 * Writes values as Python does where they become texts: lists and dictionaries as their `repr`, with single quotes, and
 * `True`, `False` and `None`. The library writes JSON, and leaves out None. Templates write tools like this, and their
 * parameters (Qwen 3 Coder, SmolLM 3).
 */
export function writtenAsInPython(expression: Expression): Expression {
  const { type, operator, left, right, operand, filter } = expression;
  if (type === "BinaryExpression" && (operator as { readonly value: string }).value === "~") {
    return textFrom(left, right);
  }
  if (type === "FilterExpression" && isString(filter as Expression)) return textFrom(operand);
  const changed = blocks
    .filter((name) => Array.isArray(expression[name]))
    .map((name) => [name, (expression[name] as readonly Expression[]).map(asText)]);
  return changed.length === 0 ? expression : { ...expression, ...Object.fromEntries(changed) };
}

function isString({ type, value }: Expression): boolean {
  return type === "Identifier" && value === "string";
}

function asText(statement: Expression): Expression {
  return statements.has(statement.type) ? statement : textFrom(statement);
}

function textFrom(...values: readonly unknown[]): Expression {
  return callWithValues("ringrank_text", ...values);
}

/** Like Python's `str`, and nothing for what is undefined. */
function textOf(item: RuntimeValue): string {
  if (item.type === "UndefinedValue") return "";
  return typeof item.value === "string" ? item.value : represented(item);
}

/** Like Python's `repr`. */
function represented(item: RuntimeValue): string {
  const { type, value } = item;
  if (typeof value === "string") return quoted(value);
  if (typeof value === "boolean") return value ? "True" : "False";
  if (type === "UndefinedValue") return "Undefined";
  if (type === "NullValue") return "None";
  if (Array.isArray(value)) {
    const items = (value as readonly RuntimeValue[]).map(represented).join(", ");
    if (type !== "TupleValue") return `[${items}]`;
    return `(${items}${value.length === 1 ? "," : ""})`;
  }
  if (value instanceof Map) {
    const entries = [...(value as ReadonlyMap<string, RuntimeValue>)];
    return `{${entries.map(([key, each]) => `${quoted(key)}: ${represented(each)}`).join(", ")}}`;
  }
  return String(item);
}

const escapes: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** In single quotes, unless there are such and no double ones. What cannot be printed is escaped. */
function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replace(/[\\'"]|[\p{C}\p{Z}]/gu, (character) => {
    if (character === " " || (character !== quote && "'\"".includes(character))) return character;
    return (
      escapes[character] ?? (character === quote || character === "\\" ? `\\${character}` : coded(character))
    );
  });
  return `${quote}${escaped}${quote}`;
}

function coded(character: string): string {
  const code = character.codePointAt(0)!;
  const digits = (count: number) => code.toString(16).padStart(count, "0");
  if (code < 0x100) return `\\x${digits(2)}`;
  return code < 0x10000 ? `\\u${digits(4)}` : `\\U${digits(8)}`;
}
