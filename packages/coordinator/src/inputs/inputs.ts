import { RingrankError, show } from "@ringrank/errors";
import type { ValueInfo } from "@ringrank/model";
import { interfaceNames } from "@ringrank/model/serving";
import type { TensorMessage } from "@ringrank/rank-worker";
import type { ModelFacts, TokenLimits } from "../model-facts.js";
import { isTensor, isTensorType, type Tensor } from "../tensor.js";
import { contextError } from "./context-error.js";
import { arrayFrom } from "./elements.js";
import { flatten, type NestedArray } from "./nested-array.js";

/** An input of `model.run`: a typed tensor, or nested arrays of numbers. */
export type InputValue = Tensor | NestedArray;

/** Copies elements of any type. A Buffer has another `slice`, which shares its memory. */
const { slice } = Uint8Array.prototype;

const masks: readonly string[] = [interfaceNames.attentionMask, interfaceNames.decoderAttentionMask];

/** Inputs that the ranks fill in if they are omitted. */
const optionalInputs: readonly string[] = [...masks, interfaceNames.positionIds, interfaceNames.tokenTypeIds];

/**
 * The caller's inputs in the form that the graph takes. They are copied, so the caller may change its own afterwards.
 *
 * @param needed names of the inputs that must not be omitted; default: all except those that the ranks fill in
 * @throws RR_INPUT for a missing or unknown input, or a number without a row in a table; RR_TYPE for a wrong element
 * type; RR_SHAPE for a shape that does not fit the graph or the other inputs; RR_TOKEN_ID, RR_CONTEXT, RR_EMPTY_PROMPT
 */
export function checkInputs(
  inputs: Readonly<Record<string, InputValue>>,
  facts: ModelFacts,
  needed: readonly string[] = facts.inputs.map(({ name }) => name),
): Record<string, TensorMessage> {
  if (typeof inputs !== "object" || inputs === null || Array.isArray(inputs)) {
    throw new RingrankError("RR_INPUT", `expected an object of inputs by name, got ${show(inputs)}`);
  }
  refuseUnknown(inputs, facts);
  refuseMissing(inputs, needed);
  const sizes = new Map<string, number>();
  const checked: Record<string, TensorMessage> = {};
  for (const info of facts.inputs) {
    if (inputs[info.name] === undefined) continue;
    const tensor = toMessage(info, inputs[info.name]);
    bindSizes(info, tensor.dims, sizes);
    checked[info.name] = tensor;
  }
  for (const [name, tensor] of Object.entries(checked)) {
    if (name === interfaceNames.inputIds) checkTokenIds(tensor, facts.encoder ?? facts);
    else if (name === interfaceNames.decoderInputIds) checkTokenIds(tensor, facts);
    else if (name === interfaceNames.positionIds) checkPositions(tensor, facts);
    else if (masks.includes(name)) checkMask(name, tensor);
    else checkLookedUp(name, tensor, facts);
  }
  return checked;
}

function refuseUnknown(inputs: Readonly<Record<string, InputValue>>, facts: ModelFacts): void {
  const known = facts.inputs.map((info) => info.name);
  const unknown = Object.keys(inputs).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new RingrankError("RR_INPUT", `expected the inputs ${known.join(", ")}, got ${unknown}`);
}

function refuseMissing(inputs: Readonly<Record<string, InputValue>>, needed: readonly string[]): void {
  const missing = needed.filter((name) => inputs[name] === undefined && !optionalInputs.includes(name));
  if (missing.length === 0) return;
  const some =
    missing.slice(0, 3).join(", ") + (missing.length > 3 ? `, and ${missing.length - 3} more` : "");
  const given = Object.keys(inputs).filter((name) => inputs[name] !== undefined);
  const got = given.length === 0 ? "none" : `only ${given.join(", ")}`;
  throw new RingrankError(
    "RR_INPUT",
    `expected the input${missing.length === 1 ? "" : "s"} ${some}; got ${got}`,
  );
}

function toMessage(info: ValueInfo, value: unknown): TensorMessage {
  const { name, type } = info;
  if (!isTensorType(type)) {
    throw new RingrankError("RR_TYPE", `input ${name}: elements of type ${type} cannot be passed`);
  }
  if (isTensor(value)) {
    if (value.type !== type)
      throw new RingrankError("RR_TYPE", `input ${name}: expected ${type} elements, got ${value.type}`);
    // Bytes hold other numbers, too, of which operators make what nobody has defined.
    const data =
      type === "bool" ? arrayFrom(name, type, [...value.data]) : (slice.call(value.data) as Tensor["data"]);
    return { type, dims: [...value.dims], data };
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    throw new RingrankError(
      "RR_TYPE",
      `input ${name}: expected nested arrays of numbers, or { type: "${type}", dims, data } with the type's own ` +
        `array, as long as dims say; got ${parts(value)}`,
    );
  }
  const { dims, elements } = flatten(name, value);
  return { type, dims, data: arrayFrom(name, type, elements) };
}

/** What came in place of a tensor: `{ type: "int64", dims: [1, 3], data: 2 in an object (BigInt64Array) }`. */
function parts(value: object): string {
  if (ArrayBuffer.isView(value)) return show(value);
  const fields = Object.entries(value).map(([name, field]: [string, unknown]) => {
    if (name === "dims" && Array.isArray(field)) return `dims: [${field.map(show).join(", ")}]`;
    const length = ArrayBuffer.isView(field) && "length" in field ? `${String(field.length)} in ` : "";
    return `${name}: ${length}${show(field)}`;
  });
  return fields.length === 0 ? show(value) : `{ ${fields.join(", ")} }`;
}

/** Checks fixed sizes, and that a size that several inputs share is the same in all of them. */
function bindSizes(info: ValueInfo, dims: readonly number[], sizes: Map<string, number>): void {
  const wrong = (): RingrankError => {
    const expected = info.dims.map((dim) =>
      typeof dim === "string" ? `${dim}${sizeNote(sizes, dim)}` : dim,
    );
    return new RingrankError(
      "RR_SHAPE",
      `input ${info.name}: expected [${expected.join(", ")}], got [${dims.join(", ")}]`,
    );
  };
  if (dims.length !== info.dims.length) throw wrong();
  info.dims.forEach((expected, axis) => {
    const size = dims[axis]!;
    if (typeof expected === "number") {
      if (size !== expected) throw wrong();
      return;
    }
    if ((sizes.get(expected) ?? size) !== size) throw wrong();
    sizes.set(expected, size);
  });
}

function sizeNote(sizes: ReadonlyMap<string, number>, dim: string): string {
  const size = sizes.get(dim);
  return size === undefined ? "" : `=${size}`;
}

function checkTokenIds(ids: TensorMessage, limits: TokenLimits): void {
  const sequence = ids.dims[1] ?? 0;
  if (ids.data.length === 0) {
    throw new RingrankError(
      "RR_EMPTY_PROMPT",
      `expected at least one token id, got [${ids.dims.join(", ")}]`,
    );
  }
  checkLength(sequence, limits);
  for (const id of ids.data) checkTokenId(Number(id), limits);
}

/** Other positions have no row in a table of positions, which would be an error of a rank, and end the model. */
function checkPositions(
  { data }: TensorMessage,
  { maxContext = Number.POSITIVE_INFINITY }: ModelFacts,
): void {
  for (const element of data) {
    const position = Number(element);
    if (position >= 0 && position < maxContext) continue;
    const most = maxContext === Number.POSITIVE_INFINITY ? "on" : `to ${maxContext - 1}, the model's context`;
    throw new RingrankError(
      position < 0 ? "RR_INPUT" : "RR_CONTEXT",
      `input ${interfaceNames.positionIds}: expected positions from 0 ${most}; got ${element}`,
    );
  }
}

/**
 * A mask may also be one of attention weights, in floats, to add. In one of tokens, exports count the ones: of other
 * numbers they make positions without a row in the table of positions.
 */
function checkMask(name: string, { type, data }: TensorMessage): void {
  if (/float/.test(type)) return;
  for (const element of data) {
    if (Number(element) === 0 || Number(element) === 1) continue;
    throw new RingrankError(
      "RR_INPUT",
      `input ${name}: expected 0 for padding and 1 for other tokens, got ${element}`,
    );
  }
}

/** As with positions: a table of token types, for example, only has rows for its own types. */
function checkLookedUp(name: string, { data }: TensorMessage, { lookedUp = {} }: ModelFacts): void {
  const rows = lookedUp[name];
  if (rows === undefined) return;
  for (const element of data) {
    if (element >= 0 && element < rows) continue;
    throw new RingrankError(
      "RR_INPUT",
      `input ${name}: expected numbers from 0 to ${rows - 1}, the rows of a table in the model; got ${element}`,
    );
  }
}

/**
 * Checks the ids of one sequence.
 *
 * @throws RR_EMPTY_PROMPT, RR_TOKEN_ID, RR_CONTEXT
 */
export function checkIds(ids: readonly number[], limits: TokenLimits): void {
  if (ids.length === 0) {
    throw new RingrankError("RR_EMPTY_PROMPT", "expected at least one token id, got none");
  }
  for (const id of ids) checkTokenId(id, limits);
  checkLength(ids.length, limits);
}

/** @throws RR_CONTEXT */
export function checkLength(tokens: number, { maxContext }: Pick<TokenLimits, "maxContext">): void {
  if (maxContext === undefined || tokens <= maxContext) return;
  throw contextError(maxContext, `${tokens}`);
}

/** @throws RR_TOKEN_ID */
function checkTokenId(id: unknown, { vocabSize }: Pick<TokenLimits, "vocabSize">): void {
  const inside =
    Number.isSafeInteger(id) && Number(id) >= 0 && (vocabSize === undefined || Number(id) < vocabSize);
  if (inside) return;
  throw new RingrankError(
    "RR_TOKEN_ID",
    `expected token ids from 0 to ${vocabSize === undefined ? "the vocabulary's end" : vocabSize - 1}, got ${show(id)}`,
  );
}
