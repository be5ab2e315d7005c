import { join } from "node:path";
import { ConfigReader } from "../checkpoint/config-reader.js";
import { isListed } from "../files/is-listed.js";
import { jsonFileLimits, readJsonObject } from "../files/json.js";
import { resolveNamedFile } from "../files/named-file.js";

/** The files of one module of a checkpoint, in a folder that modules.json names. */
export class ModuleFolder {
  readonly #directory: string;
  /** Empty for the checkpoint's own directory. */
  readonly name: string;

  /** @param directory real path of the checkpoint */
  constructor(directory: string, name: string) {
    this.#directory = directory;
    this.name = name;
  }

  /**
   * The real path of a file; undefined if there is none.
   *
   * @throws RR_PATH if it is elsewhere
   */
  file(name: string): string | undefined {
    const within = this.name === "" ? name : `${this.name}/${name}`;
    const isInside = !/[\\:\0]|(^|\/)\.\.(\/|$)/.test(within);
    if (isInside && !isListed(join(this.#directory, within))) return undefined;
    return resolveNamedFile(this.#directory, within, "modules.json");
  }

  /** The module's config.json; undefined if there is none. */
  config(name = "config.json"): ConfigReader | undefined {
    const path = this.file(name);
    return path === undefined
      ? undefined
      : new ConfigReader(
          readJsonObject(path, jsonFileLimits.config),
          `${join(this.#directory, this.name, name)}`,
        );
  }
}
