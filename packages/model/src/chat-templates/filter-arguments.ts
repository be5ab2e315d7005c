import { type Expression, textLiteral } from "./rewritten-template.js";

/** For filters whose arguments the library does not know by all of their names: Jinja's names, in order. */
const parameters: Readonly<Record<string, readonly string[]>> = {
  default: ["default_value", "boolean"],
  join: ["d", "attribute"],
};

/**
 * Passes arguments to filters by position that a template passes by name (`default(default_value="x")`), and joins an
 * attribute of each element if requested: the library supports neither, and would ignore them.
 */
export function argumentsAsInPython(expression: Expression): Expression {
  const filter = expression.filter as Expression | undefined;
  if (expression.type !== "FilterExpression" || filter?.type !== "CallExpression") return expression;
  const name = (filter.callee as Expression).value as string;
  if (!Object.hasOwn(parameters, name)) return expression;
  const given = byPosition(filter.args as readonly Expression[], parameters[name]!);
  if (name !== "join") return { ...expression, filter: { ...filter, args: given } };
  const [separator = textLiteral(""), attribute] = given;
  const operand =
    attribute === undefined ? expression.operand : mapped(expression.operand, attribute as Expression);
  return { ...expression, operand, filter: { ...filter, args: [separator] } };
}

/** Omitted arguments before the last given one are empty strings, like the filters' own defaults. */
function byPosition(args: readonly Expression[], names: readonly string[]): readonly Expression[] {
  const result: Expression[] = [];
  for (const [index, arg] of args.entries()) {
    const isNamed = arg.type === "KeywordArgumentExpression";
    const position = isNamed ? names.indexOf((arg.key as Expression).value as string) : index;
    if (position < 0 || position in result) {
      throw new Error(`expected a filter's arguments ${names.join(" and ")}, each once at most`);
    }
    result[position] = isNamed ? (arg.value as Expression) : arg;
  }
  return Array.from(result, (arg) => arg ?? textLiteral(""));
}

function mapped(operand: unknown, attribute: Expression): Expression {
  const key = { type: "Identifier", value: "attribute" };
  const args = [{ type: "KeywordArgumentExpression", key, value: attribute }];
  const filter = { type: "CallExpression", callee: { type: "Identifier", value: "map" }, args };
  return { type: "FilterExpression", operand, filter };
}
