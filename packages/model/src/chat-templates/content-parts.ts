import type { ChatMessage } from "./chat-template.js";
import { attributeOf, type Expression } from "./rewritten-template.js";

/** A message in the form of multimodal models: its content is a list, which only has text here. */
export function inParts(message: ChatMessage): object {
  const { content } = message;
  return typeof content === "string" ? { ...message, content: [{ type: "text", text: content }] } : message;
}

/**
 * Whether a template only iterates over the parts of a content, does nothing else with it, and does not check whether
 * it is text. Of a text, which it would treat as a list of characters, it would leave nothing. LLaVA's and SmolVLM's
 * templates are like this.
 */
export function readsParts(template: object): boolean {
  const found = { loops: false, others: false };
  look(template, false, found);
  return found.loops && !found.others;
}

/** @param isList whether a list can be used in this place */
function look(part: unknown, isList: boolean, found: { loops: boolean; others: boolean }): void {
  if (Array.isArray(part)) {
    for (const each of part) look(each, false, found);
    return;
  }
  if (part instanceof Map) {
    look([...part].flat(), false, found);
    return;
  }
  if (typeof part !== "object" || part === null) return;
  const expression = part as Expression;
  if (attributeOf(expression) === "content" && !isList) found.others = true;
  for (const [name, value] of Object.entries(expression)) {
    const isLoop = expression.type === "For" && name === "iterable";
    if (isLoop && isContent(value as Expression)) found.loops = true;
    look(value, isLoop || standsForList(expression, name, isList), found);
  }
}

/** Whether it is a content, or some of its parts. */
function isContent(expression: Expression): boolean {
  const { type, operand, lhs } = expression;
  if (type === "FilterExpression") return isContent(operand as Expression);
  if (type === "SelectExpression") return isContent(lhs as Expression);
  return attributeOf(expression) === "content";
}

function standsForList({ type, test, computed }: Expression, name: string, isList: boolean): boolean {
  switch (type) {
    case "FilterExpression":
      return name === "operand" && isList;
    case "SelectExpression":
      return name === "lhs" && isList;
    // One of its parts, not a method of a text.
    case "MemberExpression":
      return name === "object" && computed === true;
    case "TestExpression":
      return name === "operand" && (test as Expression).value !== "string";
    default:
      return false;
  }
}
