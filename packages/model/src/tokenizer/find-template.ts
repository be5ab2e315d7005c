import { existsSync } from "node:fs";
import { join } from "node:path";
import { RingrankError } from "@ringrank/errors";
import { isJsonObject, type JsonObject } from "../files/json.js";
import { decodeUtf8, readFile } from "../files/read-file.js";
import { specialTokens } from "./special-tokens.js";
import { readTokenizerConfig, tokenizerConfigFile } from "./tokenizer-config.js";

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
 * @throws RR_FILE_FORMAT if the file that may contain it cannot be read as one
 */
export function findTemplate(directory: string): FoundTemplate | undefined {
  const config = readTokenizerConfig(directory);
  const templatePath = join(directory, "chat_template.jinja");
  const isFile = existsSync(templatePath);
  const where = isFile ? templatePath : tokenizerConfigFile(directory);
  const source = isFile
    ? decodeUtf8(readFile(templatePath, mostBytes, "Jinja"), templatePath, "Jinja")
    : sourceIn(config, where);
  return source === undefined ? undefined : { source, tokens: specialTokens(directory, config), where };
}

/** A template, or several by name, of which `default` is for conversations. */
function sourceIn({ chat_template: given }: JsonObject, where: string): string | undefined {
  if (given === undefined || given === null || typeof given === "string") return given ?? undefined;
  const named = Array.isArray(given)
    ? given.filter(isJsonObject).find(({ name }) => name === "default")
    : undefined;
  if (typeof named?.template === "string") return named.template;
  throw new RingrankError(
    "RR_FILE_FORMAT",
    `${where}: expected "chat_template" to be a string, or a list of { name, template } of which one has the name ` +
      '"default"; put the template for conversations into chat_template.jinja',
  );
}
