import { realpathSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { isRingrankError, RingrankError } from "@ringrank/errors";
import { type FileIdentity, identityAlone } from "../files/file-identity.js";
import { resolveNamedFile } from "../files/named-file.js";
import type { Graph } from "../graph/graph.js";
import { closeFile, openFile } from "../weights/read-at.js";
import { decodeOnnx } from "./decode-onnx.js";
import type { ExternalFile } from "./decode-tensor.js";
import { ownFile, stripWeights } from "./strip-weights.js";

/**
 * Opens an ONNX file (opset 11 to 23) as a graph whose weights are references into it, or into the files of
 * external data that it names. Reads no weights, but checks that each is inside its file.
 *
 * ```
 * model.onnx        structure and small constants, read; weights inside it, referred to by offset
 * model.onnx_data   external data, in any number of files, of any size, in the model's directory or its hub blobs
 * ```
 *
 * @throws RR_MISSING_FILE; RR_FILE_FORMAT if it is not an ONNX model, or a weight is not inside its file;
 * RR_PATH if external data is outside the model's directory; RR_GRAPH for a cycle or an undefined value
 */
export function openOnnx(path: string): Graph {
  return openOnnxFiles(path).graph;
}

/** Like {@link openOnnx}, and also returns the files that were opened for it, as they were then. */
export function openOnnxFiles(path: string): { readonly graph: Graph; readonly files: FileIdentity[] } {
  const file = openFile(resolve(path));
  try {
    const directory = realpathSync(dirname(file.path));
    const files = new Map<string, FileIdentity>([[ownFile, file]]);
    const resolveExternal = (location: string): ExternalFile => {
      const known = files.get(location) ?? measured(resolveNamedFile(directory, location, path));
      files.set(location, known);
      return known;
    };
    const graph = decodeOnnx(stripWeights(file), { resolveExternal });
    return { graph, files: Array.from(files.values(), identityAlone) };
  } catch (error) {
    throw naming(file.path, error);
  } finally {
    closeFile(file);
  }
}

/** The error, with the file's path in front if its message does not have it. */
function naming(path: string, error: unknown): unknown {
  if (!isRingrankError(error) || error.message.includes(path)) return error;
  return new RingrankError(error.code, `${path}: ${error.message}`, { cause: error });
}

function measured(path: string): FileIdentity {
  const file = openFile(path);
  closeFile(file);
  return identityAlone(file);
}
