/** Readers for the fields of a step in tokenizer.json. {@link loadTokenizer} turns their errors into RR_FILE_FORMAT. */

/** A text; `otherwise` if the field is absent. */
export function textField(step: object, name: string, otherwise?: string): string {
  const value = fieldOf(step, name) ?? otherwise;
  if (typeof value === "string") return value;
  throw new Error(`expected "${name}" to be a text, got ${JSON.stringify(value)}`);
}

/** One character; `otherwise` if the field is absent. */
export function characterField(step: object, name: string, otherwise?: string): string {
  const value = textField(step, name, otherwise);
  if ([...value].length === 1) return value;
  throw new Error(`expected "${name}" to be one character, got ${JSON.stringify(value)}`);
}

export function flagField(step: object, name: string, otherwise: boolean): boolean {
  const value = fieldOf(step, name) ?? otherwise;
  if (typeof value === "boolean") return value;
  throw new Error(`expected "${name}" to be true or false, got ${JSON.stringify(value)}`);
}

/** An integer of at least `least`; `otherwise` if the field is absent. */
export function countField(step: object, name: string, least: number, otherwise: number): number {
  const value = fieldOf(step, name) ?? otherwise;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= least) return value;
  throw new Error(`expected "${name}" to be ${least} or more, got ${JSON.stringify(value)}`);
}

export function stepsField<Step extends object>(step: object, name: string): readonly Step[] {
  const value = fieldOf(step, name);
  if (Array.isArray(value) && value.every((each) => typeof each === "object" && each !== null)) return value;
  throw new Error(`expected "${name}" to be a list of objects`);
}

export function fieldOf(object: object, name: string): unknown {
  return (object as Readonly<Record<string, unknown>>)[name];
}
