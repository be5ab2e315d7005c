import { realpathSync } from "node:fs";
import { join, sep } from "node:path";
import { RingrankError } from "@ringrank/errors";

/**
 * The real path of a file that another file of the model names (a shard in an index, external data in ONNX).
 *
 * It must be relative, without `..`, and after following links be in the model's own directory or, for a snapshot
 * in the hub's cache, in the `blobs/` of the same repository:
 *
 * ```
 * models--org--name/snapshots/<commit>/model-1.safetensors  →  models--org--name/blobs/<hash>
 * ```
 *
 * @param directory real path of the model's directory
 * @param namedBy the file that names it, for errors
 * @throws RR_PATH if it is elsewhere; RR_MISSING_FILE if it does not exist
 */
export function resolveNamedFile(directory: string, name: string, namedBy: string): string {
  const parts = name.split("/");
  const relative = !/[\\:\0]/.test(name) && parts.every((part) => part !== "" && part !== "..");
  if (!relative) {
    throw new RingrankError(
      "RR_PATH",
      `${namedBy} names the file ${JSON.stringify(name)}: expected a relative path with "/" and without ".."`,
    );
  }
  let path: string;
  try {
    path = realpathSync(join(directory, name));
  } catch (cause) {
    throw new RingrankError(
      "RR_MISSING_FILE",
      `${namedBy} names the file ${JSON.stringify(name)}, which is not in ${directory}; download it`,
      { cause },
    );
  }
  const allowed = [directory, ...blobsOf(directory)];
  if (!allowed.some((folder) => path.startsWith(folder.endsWith(sep) ? folder : folder + sep))) {
    throw new RingrankError(
      "RR_PATH",
      `${namedBy} names the file ${JSON.stringify(name)}, whose real path ${path} lies outside ` +
        `${allowed.join(" and ")}`,
    );
  }
  return path;
}

/** Where the files of a snapshot in the hub's cache really are; empty for any other directory. */
function blobsOf(directory: string): string[] {
  const parts = directory.split(sep);
  for (let i = parts.length - 2; i > 0; i--) {
    if (parts[i] === "snapshots" && parts[i - 1]!.startsWith("models--")) {
      return [[...parts.slice(0, i), "blobs"].join(sep)];
    }
  }
  return [];
}
