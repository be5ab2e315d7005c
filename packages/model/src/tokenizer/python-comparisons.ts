/** A part of a parsed template, of which the library exports neither classes nor types. */
interface Expression {
  readonly type: string;
  readonly [part: string]: unknown;
}

/** What a template parsed by {@link withPythonComparisons} calls, to be among the variables that it is rendered with. */
export const pythonComparisons = { ringrank_equal: isEqual, ringrank_unequal: isUnequal };

/**
 * A parsed template that compares as Jinja does, in Python. The library takes `==` for JavaScript's, to which `""` and
 * `"0"` are false: templates of Llama 2 and Command R ask `system_message != false`, and would leave such a system
 * message out. And of what has no such attribute, it keeps nothing in `selectattr("tool_calls", "undefined")`, by which
 * templates of Mistral look for the messages that have to take turns; but it does in `rejectattr(…, "defined")`.
 */
export function withPythonComparisons<Template extends object>(template: Template): Template {
  return rewritten(template) as Template;
}

function rewritten(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(rewritten);
  if (part instanceof Map)
    return new Map([...part].map(([key, value]) => [rewritten(key), rewritten(value)]));
  if (typeof part !== "object" || part === null) return part;
  const parts = Object.entries(part).map(([name, value]) => [name, rewritten(value)]);
  return compared(Object.fromEntries(parts) as Expression);
}

function compared(expression: Expression): Expression {
  const { type, operator, left, right, filter } = expression;
  if (type === "BinaryExpression") {
    const symbol = (operator as { readonly value: string }).value;
    if (symbol === "==") return call("ringrank_equal", [left, right]);
    if (symbol === "!=") return call("ringrank_unequal", [left, right]);
  }
  if (type === "FilterExpression") return { ...expression, filter: definedness(filter as Expression) };
  return expression;
}

const oppositeFilters = new Map([
  ["selectattr", "rejectattr"],
  ["rejectattr", "selectattr"],
]);

/** `selectattr(name, "undefined")` as `rejectattr(name, "defined")`, and the other way round. */
function definedness(filter: Expression): Expression {
  if (filter.type !== "CallExpression") return filter;
  const [name, test] = filter.args as readonly Expression[];
  const opposite = oppositeFilters.get((filter.callee as Expression).value as string);
  if (opposite === undefined || test?.type !== "StringLiteral" || test.value !== "undefined") return filter;
  return call(opposite, [name, { ...test, value: "defined" }]);
}

function call(name: string, args: readonly unknown[]): Expression {
  return { type: "CallExpression", callee: { type: "Identifier", value: name }, args };
}

/** Of the library's values: those within lists and mappings are wrapped, and these themselves are a list and a Map. */
function isEqual(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((each, at) => isEqual(each.value, b[at].value));
  }
  if (a instanceof Map && b instanceof Map) {
    return (
      a.size === b.size && [...a].every(([key, { value }]) => b.has(key) && isEqual(value, b.get(key).value))
    );
  }
  // In Python, True is 1.
  return (typeof a === "boolean" ? Number(a) : a) === (typeof b === "boolean" ? Number(b) : b);
}

function isUnequal(a: unknown, b: unknown): boolean {
  return !isEqual(a, b);
}
