import { RingrankError } from "@ringrank/errors";
import type { ConfigReader } from "../checkpoint/config-reader.js";
import type { ModuleFolder } from "./module-folder.js";

/** @throws RR_MISSING_FILE if the module has no config.json */
export function requireConfig(module: string, folder: ModuleFolder): ConfigReader {
  const config = folder.config();
  if (config !== undefined) return config;
  const what = `modules.json has the module ${module} in the folder ${JSON.stringify(folder.name)}`;
  throw new RingrankError("RR_MISSING_FILE", `${what}, which has no config.json; download it`);
}
