import { readFileSync } from "node:fs";
import { RingrankError } from "@ringrank/errors";
import { type CompiledModule, engine } from "./engine.js";
import type { LocalMemory, SharedMemory } from "./memory.js";

/**
 * The functions of a compiled file, working on `memory`; `Exports` is what its sources export. Given several files,
 * which must have the same exports, it uses the first one that this engine can run: builds with newer instructions come
 * before one that every engine runs. A file is compiled once per thread.
 *
 * @throws RR_OPTION if a file cannot be read, or this engine can run none
 */
export function instantiate<Exports>(
  memory: LocalMemory | SharedMemory,
  ...files: readonly [URL, ...URL[]]
): Exports {
  for (const file of files) {
    const module = compiled(file);
    if (module !== undefined) return new engine.Instance(module, { env: { memory } }).exports as Exports;
  }
  throw unusable(files.at(-1)!, "it uses instructions that this engine does not support");
}

/** By URL of the file; undefined if the engine cannot run it. */
const modules = new Map<string, CompiledModule | undefined>();

function compiled(file: URL): CompiledModule | undefined {
  if (!modules.has(file.href)) modules.set(file.href, compile(read(file)));
  return modules.get(file.href);
}

/** Not validated first, which would decode it twice. The engine recognises a file that another thread has compiled. */
function compile(bytes: Uint8Array): CompiledModule | undefined {
  try {
    return new engine.Module(bytes);
  } catch (error) {
    if (error instanceof engine.CompileError) return undefined;
    throw error;
  }
}

function read(file: URL): Uint8Array {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw unusable(file, String(cause), cause);
  }
}

function unusable(file: URL, why: string, cause?: unknown): RingrankError {
  return new RingrankError(
    "RR_OPTION",
    `kernels: expected ${file.href} to contain kernels that this engine can run; ${why}. Build or install its package ` +
      `again; if there is an option "kernels", set it to "plain"`,
    { cause },
  );
}
