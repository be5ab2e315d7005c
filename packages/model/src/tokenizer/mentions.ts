import type { Expression } from "./rewritten-template.js";

/** What a template can read by name. */
export interface Mentions {
  /** Names of variables. Nothing but an identifier reads one. */
  readonly variables: ReadonlySet<string>;
  /** These, and all strings: what it may look up in a message. */
  readonly names: ReadonlySet<string>;
}

/** @param template parsed */
export function mentionsOf(template: object): Mentions {
  const variables = new Set<string>();
  const strings = new Set<string>();
  const look = (part: unknown): void => {
    if (Array.isArray(part) || part instanceof Map) {
      for (const each of part) look(each);
    } else if (typeof part === "object" && part !== null) {
      const { type, value } = part as Expression;
      if (type === "Identifier") variables.add(value as string);
      if (type === "StringLiteral") strings.add(value as string);
      for (const each of Object.values(part)) look(each);
    }
  };
  look(template);
  return { variables, names: new Set([...variables, ...strings]) };
}
