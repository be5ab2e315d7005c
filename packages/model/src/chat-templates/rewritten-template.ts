/** A part of a parsed template; the library exports neither classes nor types for these. */
export interface Expression {
  readonly type: string;
  readonly [part: string]: unknown;
}

/** A value of a template while it is rendered, in the library's representation. */
export interface RuntimeValue {
  readonly type: string;
  readonly value: unknown;
}

/** The replacement of an expression, whose parts have already been replaced; the same expression if there is none. */
export type Replacement = (expression: Expression) => Expression;

/** A parsed template with some expressions replaced. */
export function rewrittenTemplate<Template extends object>(
  template: Template,
  replacements: readonly Replacement[],
): Template {
  const rewritten = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(rewritten);
    if (part instanceof Map)
      return new Map([...part].map(([key, value]) => [rewritten(key), rewritten(value)]));
    if (typeof part !== "object" || part === null) return part;
    const parts = Object.entries(part).map(([name, value]) => [name, rewritten(value)]);
    return replacements.reduce((result, replace) => replace(result), Object.fromEntries(parts) as Expression);
  };
  return rewritten(template) as Template;
}

/** A call of a variable with which the template is rendered. */
export function call(name: string, args: readonly unknown[]): Expression {
  return { type: "CallExpression", callee: { type: "Identifier", value: name }, args };
}

/**
 * Like {@link call}, of a function that takes a list of the library's values: only in a list do they keep their
 * representation, which tells None from undefined, and 1.0 from 1.
 */
export function callWithValues(name: string, ...values: readonly unknown[]): Expression {
  return call(name, [{ type: "ArrayLiteral", value: values }]);
}

export function textLiteral(value: unknown): Expression {
  return { type: "StringLiteral", value };
}

/** The name of an attribute that is looked up, as `a.name` or `a["name"]`; undefined for anything else. */
export function attributeOf({ type, property, computed }: Expression): string | undefined {
  if (type !== "MemberExpression") return undefined;
  const { type: kind, value } = property as Expression;
  const isName = kind === (computed === true ? "StringLiteral" : "Identifier");
  return isName ? (value as string) : undefined;
}
