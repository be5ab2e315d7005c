import { RingrankError } from "@ringrank/errors";
import type { DataType, FileSource, TensorData } from "../graph/graph.js";
import { type Conversion, conversion } from "./convert.js";
import { byteCount, bytesOf, bytesPerElement } from "./element-types.js";
import { closeFile, type OpenFile, openFile, readAt } from "./read-at.js";
import { RunCursor, type Selection } from "./runs.js";
import { spans } from "./spans.js";
import { tileElements, type Workspace } from "./workspace.js";

/** What to read from one file: selected elements of a tensor with the shape `dims`. */
export interface StoredPart {
  readonly source: FileSource;
  readonly dims: readonly number[];
  readonly selection: Selection;
}

/** Reads stored elements and converts them. Keeps files open until disposed of. */
export class StoredPartReader implements Disposable {
  readonly #files = new Map<string, OpenFile>();
  readonly #workspace: Workspace;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  /** @throws RR_TYPE, RR_MISSING_FILE, RR_FILE_FORMAT if {@link read} cannot succeed */
  check({ source, dims }: StoredPart, type: DataType): void {
    conversionFor(source.storedAs, type, source.file);
    const file = this.#open(source.file);
    const end = source.offset + byteCount(source.storedAs, dims);
    if (source.offset >= 0 && end <= file.size) return;
    throw new RingrankError(
      "RR_FILE_FORMAT",
      `${file.path}: expected a tensor at bytes ${source.offset} to ${end}, but the file has ${file.size} bytes. ` +
        "It is truncated or was changed; download it again.",
    );
  }

  /** Writes the selected elements to `result` from byte `kept` on; returns where they end. */
  read({ source, dims, selection }: StoredPart, type: DataType, result: TensorData, kept: number): number {
    const convert = conversionFor(source.storedAs, type, source.file);
    const storedBytes = bytesPerElement[source.storedAs];
    const file = this.#open(source.file);
    const target = bytesOf(result);
    const { buffer, stored } = this.#workspace;
    let end = kept;
    const cursor = new RunCursor(dims, selection);
    for (const span of spans(cursor, storedBytes, stored.bytes)) {
      const position = source.offset + span.start;
      const [length] = span.lengths;
      if (convert === "copy" && span.starts.length === 1) {
        readAt(file, target.subarray(end, end + length!), position);
        end += length!;
        continue;
      }
      readAt(file, new Uint8Array(buffer, stored.address, span.end - span.start), position);
      span.starts.forEach((start, run) => {
        const address = stored.address + start - span.start;
        end += this.#place(address, span.lengths[run]!, target, end, convert);
      });
    }
    return end;
  }

  /** Writes stored bytes from the workspace to `target` at byte `at`; returns how many bytes of it they fill. */
  #place(address: number, length: number, target: Uint8Array, at: number, convert: Conversion): number {
    const { buffer, kernels, tile } = this.#workspace;
    if (convert === "copy") {
      target.set(new Uint8Array(buffer, address, length), at);
      return length;
    }
    const widen = kernels[convert];
    const elements = length / 2;
    if (target.buffer === buffer) {
      widen(target.byteOffset + at, address, elements);
      return elements * 4;
    }
    for (let done = 0; done < elements; done += tileElements) {
      const count = Math.min(tileElements, elements - done);
      widen(tile.address, address + done * 2, count);
      target.set(new Uint8Array(buffer, tile.address, count * 4), at + done * 4);
    }
    return elements * 4;
  }

  [Symbol.dispose](): void {
    for (const file of this.#files.values()) closeFile(file);
    this.#files.clear();
  }

  #open(path: string): OpenFile {
    let file = this.#files.get(path);
    if (file === undefined) {
      file = openFile(path);
      this.#files.set(path, file);
    }
    return file;
  }
}

function conversionFor(storedAs: DataType, type: DataType, file: string): Conversion {
  const convert = conversion(storedAs, type);
  if (convert === undefined) {
    throw new RingrankError(
      "RR_TYPE",
      `${file}: a tensor stored as ${storedAs} cannot be read as ${type}; float16, bfloat16 and float32 are converted to ` +
        "float32; other types stay as they are",
    );
  }
  return convert;
}
