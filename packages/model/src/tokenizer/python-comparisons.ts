import { call, type Expression } from "./rewritten-template.js";

/** A value of a template, as the library has it. */
interface RuntimeValue {
  readonly type: string;
  readonly value: unknown;
}

/** What a template calls that {@link comparedAsInPython} changed, to be among the variables that it is rendered with. */
export const pythonComparisons = { ringrank_equal: isEqual, ringrank_unequal: isUnequal };

/**
 * Compares as Jinja does, in Python. The library takes `==` for JavaScript's, to which `""` and `"0"` are false: templates
 * of Llama 2 and Command R ask `system_message != false`, and would leave such a system message out. And of what has no
 * such attribute, it keeps nothing in `selectattr("tool_calls", "undefined")`, by which templates of Mistral look for the
 * messages that have to take turns; but it does in `rejectattr(…, "defined")`.
 */
export function comparedAsInPython(expression: Expression): Expression {
  const { type, operator, left, right, filter } = expression;
  if (type === "BinaryExpression") {
    const symbol = (operator as { readonly value: string }).value;
    // In a list, both come as the library has them. By themselves, None and what is undefined are the same to it.
    const both = { type: "ArrayLiteral", value: [left, right] };
    if (symbol === "==") return call("ringrank_equal", [both]);
    if (symbol === "!=") return call("ringrank_unequal", [both]);
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

type Both = readonly [RuntimeValue, RuntimeValue];

function isEqual([a, b]: Both): boolean {
  const [one, other] = [a.value, b.value];
  // A tuple is as good as a list: the library makes lists of a tuple's slices, and of a dictionary's items.
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((each, at) => isEqual([each, other[at]]));
  }
  if (one instanceof Map && other instanceof Map) {
    return (
      one.size === other.size &&
      [...one].every(([key, value]) => other.has(key) && isEqual([value, other.get(key)]))
    );
  }
  if (one === undefined || one === null) return a.type === b.type;
  // In Python, True is 1.
  return (
    (typeof one === "boolean" ? Number(one) : one) === (typeof other === "boolean" ? Number(other) : other)
  );
}

function isUnequal(both: Both): boolean {
  return !isEqual(both);
}
