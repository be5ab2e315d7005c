import { join } from "node:path";
import { RingrankError } from "@ringrank/errors";
import { isListed } from "../files/is-listed.js";
import { isJsonObject, type JsonObject } from "../files/json.js";
import { decodeUtf8, readFile } from "../files/read-file.js";
import { specialTokens } from "../tokenizer/special-tokens.js";
import { readTokenizerConfig, tokenizerConfigFile } from "../tokenizer/tokenizer-config.js";

/** Templates in use have at most 20 KB. */
const mostBytes = 2 ** 20;

/**
 * Whether `loadChatTemplate` would find one, valid or not.
 *
 * @throws RR_FILE_FORMAT if the file that may contain it cannot be read as one
 */
export function hasChatTemplate(directory: string): boolean {
  return findTemplate(directory) !== undefined;
}

/** Files of templates, by the names that templates have in `tokenizer_config.json`. */
const templateFiles: Readonly<Record<string, string>> = {
  default: "chat_template.jinja",
  tool_use: join("additional_chat_templates", "tool_use.jinja"),
};

export interface FoundTemplate {
  /** In Jinja. */
  readonly source: string;
  /** Texts of special tokens, by the names that templates use. */
  readonly tokens: Readonly<Record<string, string>>;
  /** The file. */
  readonly where: string;
}

/**
 * The source of a model directory's template; undefined if it has none.
 *
 * @param withTools whether the one for conversations with tools is preferred, if there are two
 * @throws RR_FILE_FORMAT if the file that may contain it cannot be read as one
 */
export function findTemplate(directory: string, withTools = false): FoundTemplate | undefined {
  const config = readTokenizerConfig(directory);
  const names = withTools ? ["tool_use", "default"] : ["default"];
  const file = names.map((name) => join(directory, templateFiles[name]!)).find((path) => isListed(path));
  const where = file ?? tokenizerConfigFile(directory);
  const source =
    file === undefined
      ? sourceIn(config, where, names)
      : decodeUtf8(readFile(file, mostBytes, "Jinja"), file, "Jinja");
  return source === undefined ? undefined : { source, tokens: specialTokens(config), where };
}

/** A template, or several by name, of which the first of `names` is chosen. */
function sourceIn(
  { chat_template: given }: JsonObject,
  where: string,
  names: readonly string[],
): string | undefined {
  if (given === undefined || given === null || typeof given === "string") return given ?? undefined;
  const templates = Array.isArray(given) ? given.filter(isJsonObject) : [];
  const named = names.map((wanted) => templates.find(({ name }) => name === wanted)?.template);
  const source = named.find((template) => typeof template === "string");
  if (source !== undefined) return source;
  throw new RingrankError(
    "RR_FILE_FORMAT",
    `${where}: expected "chat_template" to be a string, or a list of { name, template } of which one has the name ` +
      '"default"; put the template for conversations into chat_template.jinja',
  );
}
