import { fieldOf, stepsField } from "./fields.js";

/** The ids of a text with what is put around it. */
export type PostProcessor = (ids: readonly number[]) => readonly number[];

/**
 * What stands around a text (`processors` of https://github.com/huggingface/tokenizers), by ids: tokens of the same name
 * in the vocabulary do not count.
 *
 * @throws Error for a step that cannot be taken
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

/** `[text, id]` */
function pairedId(step: object, name: string): number {
  const pair = fieldOf(step, name);
  if (Array.isArray(pair) && isId(pair[1])) return pair[1];
  throw new Error(`expected "${name}" to be a token and its id, got ${JSON.stringify(pair)}`);
}

/** `single`: what is around one text, `{ Sequence }` or `{ SpecialToken: { id } }`, by keys of `special_tokens`. */
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
