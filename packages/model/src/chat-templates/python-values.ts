import { call, type Expression, textLiteral } from "./rewritten-template.js";

/**
 * The function that templates changed by {@link valuesAsInPython} call; it must be among the variables when rendering.
 */
export const pythonValues = { ringrank_characters: (text: string) => [...text] };

/**
 * Supports what the library does not: `dict(name=value)`, and loops over what is undefined, which has no elements, and
 * over the characters of a text. Templates of models that see images loop over a content before they check whether it
 * is a text (Llama 3.2 Vision).
 */
export function valuesAsInPython(expression: Expression): Expression {
  const { type, callee, args, iterable } = expression;
  if (type === "For") return { ...expression, iterable: elementsOf(iterable as Expression) };
  const { type: kind, value: name } = (callee ?? {}) as Expression;
  if (type !== "CallExpression" || kind !== "Identifier" || name !== "dict") return expression;
  const entries = args as readonly Expression[];
  if (entries.some((entry) => entry.type !== "KeywordArgumentExpression")) return expression;
  const value = entries.map(({ key, value }) => [textLiteral((key as Expression).value), value] as const);
  return { type: "ObjectLiteral", value: new Map(value) };
}

function elementsOf(iterable: Expression): Expression {
  // A loop with a condition.
  if (iterable.type === "SelectExpression") {
    return { ...iterable, lhs: elementsOf(iterable.lhs as Expression) };
  }
  const none = { type: "ArrayLiteral", value: [] };
  const falseExpr = {
    type: "Ternary",
    condition: test(iterable, "undefined"),
    trueExpr: none,
    falseExpr: iterable,
  };
  const characters = call("ringrank_characters", [iterable]);
  return { type: "Ternary", condition: test(iterable, "string"), trueExpr: characters, falseExpr };
}

function test(operand: Expression, name: string): Expression {
  return { type: "TestExpression", operand, negate: false, test: { type: "Identifier", value: name } };
}
