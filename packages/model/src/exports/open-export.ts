import { statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { RingrankError } from "@ringrank/errors";
import { type ContextLimits, contextLimits } from "../architectures/index.js";
import type { FileIdentity } from "../files/file-identity.js";
import { type Graph, interfaceNames } from "../graph/index.js";
import { openOnnxFiles } from "../onnx/index.js";
import { cacheBranches } from "./cache-branch.js";
import { encoderDecoder } from "./encoder-decoder.js";
import { type ExportConfig, exportConfig } from "./export-config.js";
import { continuing, type ExportDtype, type ExportFiles, exportFiles } from "./export-files.js";
import { takingItsTokens } from "./one-token.js";
import { rowsLookedUp } from "./rows-looked-up.js";
import { withTokenSizes } from "./token-sizes.js";
import { withCache } from "./with-cache.js";

/** A model that a tool has exported as ONNX. */
export interface OpenedExport extends ExportConfig, ContextLimits {
  readonly graph: Graph;
  /** The ONNX files and those of their external data, as they were when they were opened. */
  readonly files: readonly FileIdentity[];
  /** Why the graph has no caches although the export has a past; otherwise undefined. */
  readonly obstacle: RingrankError | undefined;
}

/**
 * Opens an ONNX file, or a directory of them, as a graph, and turns the export's past into its caches. Reads no
 * weights.
 *
 * @param path a file; or a directory, see {@link exportFiles}
 * @param dtype which of a directory's files to open
 * @throws RR_NOT_A_MODEL, RR_OPTION, RR_MISSING_FILE; RR_FILE_FORMAT, RR_PATH, RR_GRAPH as openOnnx; RR_NO_GENERATE for
 * an encoder and decoder in separate files that do not match
 */
export function openExport(path: string, dtype?: ExportDtype): OpenedExport {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) {
    throw new RingrankError(
      "RR_MISSING_FILE",
      `${path}: expected an .onnx file or a directory of them, found nothing`,
    );
  }
  const files: ExportFiles = found.isFile()
    ? { kind: "whole", file: onnxFile(path) }
    : exportFiles(path, dtype);
  const { directory, config } = exportConfig(dirname(files.kind === "whole" ? files.file : files.encoder));
  const onnxFiles: FileIdentity[] = [];
  const opened = openFiles(files, (file) => {
    const one = openOnnxFiles(file);
    onnxFiles.push(...one.files);
    return one.graph;
  });
  const limits = contextLimits(config);
  return {
    directory,
    config,
    files: onnxFiles,
    ...limits,
    maxContext: least(limits.maxContext, rowsLookedUp(opened.graph, interfaceNames.positionIds)),
    ...opened,
  };
}

function least(...limits: readonly (number | undefined)[]): number | undefined {
  const known = limits.filter((limit) => limit !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

function onnxFile(path: string): string {
  if (path.endsWith(".onnx")) return path;
  throw new RingrankError(
    "RR_NOT_A_MODEL",
    `${path}: expected an .onnx file or a directory; for a checkpoint, pass the directory with its config.json`,
  );
}

function openFiles(
  files: ExportFiles,
  open: (file: string) => Graph,
): Pick<OpenedExport, "graph" | "obstacle"> {
  switch (files.kind) {
    case "whole":
      return openDecoder(open(files.file), basename(files.file).startsWith(continuing));
    case "merged": {
      const encoder = open(files.encoder);
      const merged = open(files.decoder);
      const branches = cacheBranches(merged);
      if (branches === undefined) {
        throw new RingrankError(
          "RR_NO_GENERATE",
          `expected ${files.decoder} to be a decoder that runs with and without a past`,
        );
      }
      return { graph: encoderDecoder({ encoder, ...branches }), obstacle: undefined };
    }
    case "apart": {
      const [encoder, withoutPast] = [open(files.encoder), open(files.withoutPast)];
      const withPast = takingItsTokens(open(files.withPast));
      return { graph: encoderDecoder({ encoder, withoutPast, withPast }), obstacle: undefined };
    }
  }
}

/**
 * A graph whose past is not a cache is run as it is; of a merged decoder, the branch that computes a whole sequence
 * without a past.
 *
 * @param continues whether another file starts what this one continues
 */
function openDecoder(graph: Graph, continues: boolean): Pick<OpenedExport, "graph" | "obstacle"> {
  const branches = cacheBranches(graph);
  const whole = continues ? takingItsTokens(graph) : graph;
  try {
    const cached = withCache(branches?.withPast ?? whole);
    return { graph: withTokenSizes(cached), obstacle: undefined };
  } catch (error) {
    if (!(error instanceof RingrankError) || error.code !== "RR_NO_GENERATE") throw error;
    return { graph: branches?.withoutPast ?? graph, obstacle: withAdvice(error, graph) };
  }
}

/** An obstacle with what to do if it is that the graph is one of an encoder–decoder's files. */
function withAdvice(obstacle: RingrankError, { inputs }: Graph): RingrankError {
  if (!inputs.some(({ name }) => name.startsWith("encoder_"))) return obstacle;
  return new RingrankError(
    obstacle.code,
    `${obstacle.message}. It reads what an encoder computes: to generate, load the directory of both`,
  );
}
