import { RingrankError } from "@ringrank/errors";
import { isJsonObject, jsonFileLimits, readJsonObject } from "../files/json.js";

/** More files than any checkpoint has; each has to be opened and its header read. */
const maxFiles = 10_000;

/**
 * Reads `model.safetensors.index.json`, `{ "metadata": …, "weight_map": { tensor: file } }`.
 *
 * @returns by file, in the order of their names: the tensors it should contain
 * @throws RR_FILE_FORMAT
 */
export function readWeightMap(path: string): ReadonlyMap<string, readonly string[]> {
  const { weight_map: weightMap } = readJsonObject(path, jsonFileLimits.index);
  if (!isJsonObject(weightMap)) {
    throw new RingrankError("RR_FILE_FORMAT", `${path}: expected "weight_map" to be an object`);
  }
  const byFile = new Map<string, string[]>();
  for (const [tensor, file] of Object.entries(weightMap)) {
    if (typeof file !== "string") {
      throw new RingrankError(
        "RR_FILE_FORMAT",
        `${path}: expected "weight_map" to give a file name for ${JSON.stringify(tensor)}`,
      );
    }
    const tensors = byFile.get(file);
    if (tensors === undefined) byFile.set(file, [tensor]);
    else tensors.push(tensor);
  }
  if (byFile.size > maxFiles) {
    throw new RingrankError(
      "RR_FILE_FORMAT",
      `${path}: expected at most ${maxFiles} files, got ${byFile.size}`,
    );
  }
  return new Map([...byFile].sort(([a], [b]) => (a < b ? -1 : 1)));
}
