import { attributeOf, type Expression } from "./rewritten-template.js";

/** What a template can read. */
export interface Mentions {
  /** Variables that it reads, except where a loop or a macro binds them. */
  readonly variables: ReadonlySet<string>;
  /** Names of variables and attributes, and all strings: what it may look up in a message. */
  readonly names: ReadonlySet<string>;
}

/** @param template parsed */
export function mentionsOf(template: object): Mentions {
  const variables = new Set<string>();
  const names = new Set<string>();
  const look = (part: unknown, bound: ReadonlySet<string>): void => {
    if (Array.isArray(part) || part instanceof Map) {
      for (const each of part) look(each, bound);
    } else if (typeof part === "object" && part !== null) {
      const expression = part as Expression;
      const { type, value } = expression;
      const name = type === "Identifier" || type === "StringLiteral" ? value : attributeOf(expression);
      if (typeof name === "string") names.add(name);
      if (type === "Identifier" && !bound.has(value as string)) variables.add(value as string);
      const { outer, inner = [], binds } = partsOf(expression);
      look(outer, bound);
      look(inner, new Set([...bound, ...namesBoundBy(binds)]));
    }
  };
  look(template, new Set());
  return { variables, names };
}

interface Parts {
  /** Parts that are read where the expression is. Names of filters, tests, attributes and parameters are not. */
  readonly outer: readonly unknown[];
  /** Parts that are read where the names in `binds` mean something else. */
  readonly inner?: readonly unknown[];
  readonly binds?: unknown;
}

function partsOf(expression: Expression): Parts {
  switch (expression.type) {
    case "MemberExpression":
      return { outer: [expression.object, expression.computed === true && expression.property] };
    case "FilterExpression":
    case "FilterStatement":
      return { outer: [expression.operand, expression.body, (expression.filter as Expression).args] };
    case "TestExpression":
      return { outer: [expression.operand] };
    case "KeywordArgumentExpression":
      return { outer: [expression.value] };
    case "Set": {
      const { assignee, value, body } = expression;
      return { outer: [(assignee as Expression).type === "MemberExpression" && assignee, value, body] };
    }
    case "For": {
      const { loopvar, iterable, body, defaultBlock } = expression;
      const { type, lhs, test } = iterable as Expression;
      const [elements, condition] = type === "SelectExpression" ? [lhs, test] : [iterable];
      const loop = { type: "Identifier", value: "loop" };
      return { outer: [elements], inner: [condition, body, defaultBlock], binds: [loopvar, loop] };
    }
    case "Macro": {
      const args = expression.args as readonly Expression[];
      const defaults = args.filter(({ type }) => type === "KeywordArgumentExpression");
      return { outer: [defaults], inner: [expression.body], binds: args };
    }
    case "CallStatement":
      return { outer: [expression.call], inner: [expression.body], binds: expression.callerArgs };
    default:
      return { outer: Object.values(expression) };
  }
}

/** Of a loop's variable, or of parameters. */
function namesBoundBy(binds: unknown): readonly string[] {
  if (Array.isArray(binds)) return binds.flatMap(namesBoundBy);
  if (typeof binds !== "object" || binds === null) return [];
  const { type, key, value } = binds as Expression;
  if (type === "KeywordArgumentExpression") return namesBoundBy(key);
  return typeof value === "string" ? [value] : namesBoundBy(value);
}
