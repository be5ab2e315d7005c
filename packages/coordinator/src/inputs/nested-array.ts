import { RingrankError, show } from "@ringrank/errors";

/** Numbers nested to the depth of the tensor's rank; a bare number is a scalar. */
export type NestedArray = number | bigint | boolean | readonly NestedArray[];

/** The elements in row-major order, and the shape. */
export interface Flattened {
  readonly dims: readonly number[];
  readonly elements: readonly (number | bigint | boolean)[];
}

/**
 * Flattens nested arrays whose rows all have the same length.
 *
 * @throws RR_SHAPE if rows differ in length or depth, RR_TYPE if an element is not a number
 */
export function flatten(name: string, value: unknown): Flattened {
  const dims = shapeOf(value);
  const elements: (number | bigint | boolean)[] = [];
  collect(name, value, dims, 0, elements);
  return { dims, elements };
}

/** Lengths along the first element of each level. */
function shapeOf(value: unknown): number[] {
  const dims: number[] = [];
  for (let level: unknown = value; Array.isArray(level); level = level[0]) {
    dims.push(level.length);
    // An array that contains itself would otherwise never end. ONNX itself sets no limit, but no real tensor has more
    // axes.
    if (dims.length > 64) break;
  }
  return dims;
}

function collect(
  name: string,
  value: unknown,
  dims: readonly number[],
  depth: number,
  elements: (number | bigint | boolean)[],
): void {
  const expected = dims[depth];
  if (expected === undefined) {
    if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") {
      elements.push(value);
      return;
    }
    if (Array.isArray(value)) throw ragged(name, `one number`, `an array of ${value.length}`, depth);
    throw new RingrankError("RR_TYPE", `input ${name}: expected numbers, got ${show(value)}`);
  }
  if (!Array.isArray(value)) throw ragged(name, `an array of ${expected}`, "one number", depth);
  if (value.length !== expected) {
    throw ragged(name, `an array of ${expected}`, `an array of ${value.length}`, depth);
  }
  for (const item of value) collect(name, item, dims, depth + 1, elements);
}

function ragged(name: string, expected: string, got: string, depth: number): RingrankError {
  return new RingrankError(
    "RR_SHAPE",
    `input ${name}: expected ${expected} at depth ${depth}, as in the first row, got ${got}; pad the ` +
      "rows to one length",
  );
}
