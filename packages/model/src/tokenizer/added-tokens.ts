import { RingrankError } from "@ringrank/errors";
import type { JsonObject, JsonValue } from "../files/json.js";
import { checkAddedToken } from "./check-tokenizer-json.js";
import { tokenText } from "./special-tokens.js";
import type { AddedToken, TokenizerJson } from "./tokenizer-json.js";

/**
 * The `added_tokens` of tokenizer.json, which are searched for in a text before anything else, merged with what
 * tokenizer_config.json says about them. As in transformers, `added_tokens_decoder` says how a token is searched for,
 * and may add some; a token that has a name, or is one of `additional_special_tokens` or `extra_special_tokens`, is
 * special. Ids are those of tokenizer.json.
 *
 * @param json tokenizer.json, checked
 * @param config of `readTokenizerConfig`
 * @param named texts of tokens with a name; one that is not in the vocabulary is not a token
 * @param where names the config in errors
 * @throws RR_FILE_FORMAT for an invalid token, or one whose id does not follow those of tokenizer.json
 */
export function addedTokens(
  json: TokenizerJson,
  config: JsonObject,
  named: readonly string[],
  where: string,
): readonly AddedToken[] {
  const byContent = new Map(json.added_tokens.map((token) => [token.content, token]));
  const ofModel = idsOfModel(json);
  const idOf = (content: string): number | undefined => byContent.get(content)?.id ?? ofModel(content);
  for (const token of stated(config, where)) {
    const known = idOf(token.content);
    if (known === undefined) checkNext(token, nextId(json, [...byContent.values()]), where);
    byContent.set(token.content, { ...token, id: known ?? token.id });
  }
  for (const content of [...named, ...additional(config)]) {
    const id = idOf(content);
    if (id === undefined) continue;
    byContent.set(content, { id, content, ...byContent.get(content), special: true });
  }
  return [...byContent.values()];
}

function idsOfModel({ model: { vocab } }: TokenizerJson): (content: string) => number | undefined {
  if (!isList(vocab)) return (content) => (Object.hasOwn(vocab, content) ? vocab[content] : undefined);
  let ids: ReadonlyMap<string, number> | undefined;
  return (content) => {
    ids ??= new Map(vocab.map(([token], id) => [token, id]));
    return ids.get(content);
  };
}

/** The id that transformers gives to a token that tokenizer.json lacks, whatever the config says. */
function nextId({ model: { vocab } }: TokenizerJson, added: readonly AddedToken[]): number {
  const size = isList(vocab) ? vocab.length : Object.keys(vocab).length;
  return added.reduce((next, { id }) => Math.max(next, id + 1), size);
}

function isList(vocab: TokenizerJson["model"]["vocab"]): vocab is readonly (readonly [string, number])[] {
  return Array.isArray(vocab);
}

/** The tokens of `added_tokens_decoder`, `{ "<id>": { content, special, lstrip, … } }`, by increasing id, as keys are. */
function stated({ added_tokens_decoder: decoder }: JsonObject, where: string): AddedToken[] {
  return Object.entries(decoder ?? {}).map(([id, token]) =>
    checkAddedToken({ ...(token as JsonObject), id: Number(id) }, `${where}, added_tokens_decoder`),
  );
}

function checkNext({ content, id }: AddedToken, next: number, where: string): void {
  if (id === next) return;
  throw new RingrankError(
    "RR_FILE_FORMAT",
    `${where}: added_tokens_decoder gives ${JSON.stringify(content)} the id ${id}, but tokenizer.json lacks it, and ` +
      `its next id is ${next}; add the token to tokenizer.json`,
  );
}

function additional({
  additional_special_tokens: additional,
  extra_special_tokens: extra,
}: JsonObject): string[] {
  const listed = [additional, extra].flatMap((tokens): readonly JsonValue[] =>
    Array.isArray(tokens) ? tokens : [],
  );
  return listed.map(tokenText).filter((text) => text !== undefined);
}
