import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { RingrankError } from "@ringrank/errors";
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  jsonFileLimits,
  readJsonObject,
} from "../files/json.js";

/** Those in use have 20 KB at the most. */
const mostBytes = 2 ** 20;

/** Names of special tokens that a template may write. */
const tokenNames = [
  "bos_token",
  "eos_token",
  "unk_token",
  "pad_token",
  "sep_token",
  "cls_token",
  "mask_token",
];

/**
 * Whether `loadChatTemplate` would find one, be it sound or not.
 *
 * @throws RR_FILE_FORMAT if the file that may have it is none that it could be in
 */
export function hasChatTemplate(directory: string): boolean {
  return findTemplate(directory) !== undefined;
}

export interface FoundTemplate {
  /** In Jinja. */
  readonly source: string;
  readonly tokens: Readonly<Record<string, string>>;
  /** The file. */
  readonly where: string;
}

/**
 * The template of a model directory, as it is written; undefined if it has none.
 *
 * @throws RR_FILE_FORMAT if the file that may have it is none that it could be in
 */
export function findTemplate(directory: string): FoundTemplate | undefined {
  const configPath = join(directory, "tokenizer_config.json");
  const config = existsSync(configPath) ? readJsonObject(configPath, jsonFileLimits.tokenizer) : {};
  const templatePath = join(directory, "chat_template.jinja");
  const isFile = existsSync(templatePath);
  const source = isFile ? readTemplate(templatePath) : sourceIn(config.chat_template);
  return source === undefined
    ? undefined
    : { source, tokens: tokensOf(config), where: isFile ? templatePath : configPath };
}

function readTemplate(path: string): string {
  const { size } = statSync(path);
  if (size <= mostBytes) return readFileSync(path, "utf8");
  throw new RingrankError(
    "RR_FILE_FORMAT",
    `${path}: expected at most ${mostBytes} bytes of Jinja, got ${size}`,
  );
}

/** A template, or several by name, of which `default` is for conversations. */
function sourceIn(given: JsonValue | undefined): string | undefined {
  if (typeof given === "string") return given;
  if (!Array.isArray(given)) return undefined;
  const named = given.filter(isJsonObject).find(({ name }) => name === "default");
  return typeof named?.template === "string" ? named.template : undefined;
}

/** A token is its text, or an object that has it as `content`. */
function tokensOf(config: JsonObject): Record<string, string> {
  const tokens = tokenNames.map((name): [string, JsonValue | undefined] => {
    const token = config[name];
    return [name, isJsonObject(token) ? token.content : token];
  });
  return Object.fromEntries(
    tokens.filter((token): token is [string, string] => typeof token[1] === "string"),
  );
}
