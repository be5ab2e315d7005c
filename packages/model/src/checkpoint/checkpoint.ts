import { realpathSync } from "node:fs";
import { join } from "node:path";
import { RingrankError } from "@ringrank/errors";
import { type FileIdentity, identityAlone, requireUnchanged } from "../files/file-identity.js";
import { isListed } from "../files/is-listed.js";
import { type JsonObject, jsonFileLimits, readJsonObject } from "../files/json.js";
import { resolveNamedFile } from "../files/named-file.js";
import { unreadable } from "../files/unreadable.js";
import { closeFile, openFile } from "../weights/read-at.js";
import { readSafetensorsHeader, type SafetensorsHeader, type StoredTensor } from "./safetensors.js";
import { readWeightMap } from "./weight-map.js";

/** A HuggingFace model directory: its config, and the location of each tensor. It contains no parameters. */
export interface Checkpoint {
  /** Real path. */
  readonly directory: string;
  readonly config: JsonObject;
  /** By name; undefined if the directory only has a config, which is enough for planning. */
  readonly tensors: ReadonlyMap<string, StoredTensor> | undefined;
  /** The safetensors files. */
  readonly files: readonly CheckpointFile[];
}

/** Its path is absolute and real. */
export interface CheckpointFile extends FileIdentity {
  /** The size according to its header; {@link checkPayload} compares it. */
  readonly expectedSize: number;
}

const indexName = "model.safetensors.index.json";
const singleName = "model.safetensors";

/**
 * Opens a model directory: `config.json`, and the headers of `model.safetensors` or of the files that
 * `model.safetensors.index.json` names. Reads no payload. Synchronous; takes a few milliseconds per file.
 *
 * @throws RR_NOT_A_MODEL if there is no config.json; RR_FILE_FORMAT if a file is corrupt, truncated in its header, or
 * hostile; RR_MISSING_FILE, RR_PATH if the index names a file that is missing or elsewhere
 */
export function openCheckpoint(directory: string): Checkpoint {
  const configPath = join(directory, "config.json");
  if (!isListed(configPath)) {
    throw new RingrankError(
      "RR_NOT_A_MODEL",
      `${directory} has no config.json; expected the directory of a HuggingFace model`,
    );
  }
  const root = realpathSync(directory);
  const config = readJsonObject(configPath, jsonFileLimits.config);
  const indexPath = join(root, indexName);
  if (isListed(join(root, singleName))) {
    const { file, header } = openWeightFile(realFile(join(root, singleName)));
    return { directory: root, config, tensors: header.tensors, files: [file] };
  }
  if (isListed(indexPath)) return { directory: root, config, ...openIndexed(root, indexPath) };
  return { directory: root, config, tensors: undefined, files: [] };
}

/**
 * Checks that each file is the one that was opened, and as long as its header says. Run it before reading
 * weights.
 *
 * @throws RR_MISSING_FILE if there are no weights; RR_FILE_FORMAT if a file is truncated, too long, or changed.
 */
export function checkPayload({ directory, tensors, files }: Checkpoint): void {
  if (tensors === undefined) {
    throw new RingrankError(
      "RR_MISSING_FILE",
      `${directory} has neither ${singleName} nor ${indexName}: it can be planned but not loaded. ` +
        "Weights in other formats (pytorch_model.bin) must first be saved as safetensors",
    );
  }
  for (const file of files) {
    if (file.size !== file.expectedSize) {
      throw new RingrankError(
        "RR_FILE_FORMAT",
        `${file.path}: expected ${file.expectedSize} bytes according to its header, got ${file.size}; download it again`,
      );
    }
  }
  requireUnchanged(files);
}

function openIndexed(root: string, indexPath: string): Pick<Checkpoint, "tensors" | "files"> {
  const tensors = new Map<string, StoredTensor>();
  const files: CheckpointFile[] = [];
  for (const [name, expected] of readWeightMap(indexPath)) {
    const { file, header } = openWeightFile(resolveNamedFile(root, name, indexPath));
    files.push(file);
    for (const tensor of expected) {
      if (!header.tensors.has(tensor)) {
        throw new RingrankError(
          "RR_FILE_FORMAT",
          `${indexPath} says that the tensor ${JSON.stringify(tensor)} is in ${file.path}, but it is not`,
        );
      }
    }
    for (const [tensor, stored] of header.tensors) {
      const other = tensors.get(tensor);
      if (other !== undefined) {
        throw new RingrankError(
          "RR_FILE_FORMAT",
          `expected every tensor in one file, but ${JSON.stringify(tensor)} is in ${other.file} and in ` +
            `${stored.file}. If the directory has files of two versions of the model, download it again into an empty ` +
            "one; otherwise save the model again with save_pretrained of transformers, which writes each tensor once",
        );
      }
      tensors.set(tensor, stored);
    }
  }
  return { tensors, files };
}

/** @throws RR_MISSING_FILE for a link to nothing */
function realFile(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    throw unreadable(error);
  }
}

function openWeightFile(path: string): { file: CheckpointFile; header: SafetensorsHeader } {
  const open = openFile(path);
  try {
    const header = readSafetensorsHeader(open);
    return { file: { ...identityAlone(open), expectedSize: header.expectedSize }, header };
  } finally {
    closeFile(open);
  }
}
