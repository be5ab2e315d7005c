import { call, callWithValues, type Expression, type RuntimeValue } from "./rewritten-template.js";

/**
 * The functions that templates changed by {@link comparedAsInPython} call; they must be among the variables when
 * rendering.
 */
export const pythonComparisons = { ringrank_equal: isEqual, ringrank_unequal: isUnequal };

/**
 * Makes comparisons behave as in Jinja, which runs in Python. The library uses JavaScript's `==`, for which `""` and
 * `"0"` equal false: templates of Llama 2 and Command R check `system_message != false`, and would drop such a system
 * message. And it never matches elements without the attribute in `selectattr("tool_calls", "undefined")`, with which
 * templates of Mistral find the messages that must alternate; but it does in `rejectattr(…, "defined")`.
 */
export function comparedAsInPython(expression: Expression): Expression {
  const { type, operator, left, right, filter } = expression;
  if (type === "BinaryExpression") {
    const symbol = (operator as { readonly value: string }).value;
    if (symbol === "==") return callWithValues("ringrank_equal", left, right);
    if (symbol === "!=") return callWithValues("ringrank_unequal", left, right);
  }
  if (type === "FilterExpression") return { ...expression, filter: definedness(filter as Expression) };
  return expression;
}

const oppositeFilters = new Map([
  ["selectattr", "rejectattr"],
  ["rejectattr", "selectattr"],
]);

/** Replaces `selectattr(name, "undefined")` by `rejectattr(name, "defined")`, and vice versa. */
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
  // A tuple counts as a list: the library creates lists for a tuple's slices, and for a dictionary's items.
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
