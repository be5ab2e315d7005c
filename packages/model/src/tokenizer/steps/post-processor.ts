import { fieldOf, stepsField } from "./fields.js";

/** Puts special tokens around the ids of a text. */
export type PostProcessor = (ids: readonly number[]) => readonly number[];

/**
 * The post-processor of a tokenizer.json (`processors` of https://github.com/huggingface/tokenizers). It uses the ids
 * in the file, even if the vocabulary has tokens of the same name.
 *
 * @throws Error for an invalid step
 */
export function postProcessorOf(step: object | null | undefined): PostProcessor {
  if (step == null) return (ids) => ids;
  const type = fieldOf(step, "type");
  switch (type) {
    case "Sequence": {
      const processors = stepsField(step, "processors").map(postProcessorOf);
      return (ids) => processors.reduce((result, process) => process(result), ids);
    }
    case "ByteLevel":
      return (ids) => ids;
    case "BertProcessing":
    case "RobertaProcessing": {
      const [before, after] = [pairedId(step, "cls"), pairedId(step, "sep")];
      return (ids) => [before, ...ids, after];
    }
    case "TemplateProcessing":
      return templateOf(step);
    default:
      throw new Error(`Unknown PostProcessor type: ${type}`);
  }
}

/** The id in a field `[text, id]`. */
function pairedId(step: object, name: string): number {
  const pair = fieldOf(step, name);
  if (Array.isArray(pair) && isId(pair[1])) return pair[1];
  throw new Error(`expected "${name}" to be a token and its id, got ${JSON.stringify(pair)}`);
}

/**
 * `single`, the template for one text: a list of `{ Sequence }` and `{ SpecialToken: { id } }`, where `id` is a key of
 * `special_tokens`.
 */
function templateOf(step: object): PostProcessor {
  const parts = stepsField(step, "single").map((part): readonly number[] | "text" => {
    if (fieldOf(part, "Sequence") !== undefined) return "text";
    const token = fieldOf(part, "SpecialToken");
    if (typeof token === "object" && token !== null) return idsOfToken(step, fieldOf(token, "id"));
    throw new Error(`expected a part of "single" to be a Sequence or a SpecialToken`);
  });
  return (ids) => parts.flatMap((part) => (part === "text" ? ids : part));
}

function idsOfToken(step: object, name: unknown): readonly number[] {
  const tokens = fieldOf(step, "special_tokens");
  const token = isRecord(tokens) && typeof name === "string" && Object.hasOwn(tokens, name) && tokens[name];
  const ids = isRecord(token) ? token.ids : undefined;
  if (Array.isArray(ids) && ids.every(isId)) return ids;
  throw new Error(`expected "special_tokens" to have ids for ${JSON.stringify(name)}`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function isId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0;
}
