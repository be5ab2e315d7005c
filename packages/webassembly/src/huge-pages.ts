import { createRequire } from "node:module";
import { RingrankError } from "@ringrank/errors";
import type Koffi from "koffi";
import { type LocalMemory, localMemory } from "./memory.js";

/** MADV_HUGEPAGE: https://man7.org/linux/man-pages/man2/madvise.2.html */
const hugePage = 14;

type Madvise = (start: Uint8Array, bytes: number, advice: number) => number;
let madvise: Madvise | undefined;

/**
 * Asks Linux for 2 MB pages instead of 4 KB ones wherever `memory` is touched from now on. If the system gives them to
 * nobody, or has none available, nothing changes.
 *
 * Neither Node nor V8 has a function for this, so it calls the C library through koffi, which users who want huge pages
 * install.
 *
 * @throws RR_OPTION as {@link requireHugePages}
 */
export function adviseHugePages({ buffer }: LocalMemory): void {
  madvise ??= importMadvise();
  if (madvise(new Uint8Array(buffer, 0, 1), buffer.byteLength, hugePage) === 0) return;
  throw refusal("a Linux with huge pages; this one refuses the request");
}

/** @throws RR_OPTION if huge pages cannot be requested: on a system other than Linux, or without koffi */
export function requireHugePages(): void {
  adviseHugePages(localMemory(1));
}

function importMadvise(): Madvise {
  if (process.platform !== "linux") throw refusal(`Linux; this is ${process.platform}`);
  try {
    const koffi = createRequire(import.meta.url)("koffi") as typeof Koffi;
    // From the process itself, whichever C library it runs on.
    return koffi.load(null).func("int madvise(void *start, size_t bytes, int advice)") as Madvise;
  } catch (cause) {
    throw refusal('the package "koffi", version 3, installed next to Ringrank; it cannot be loaded', cause);
  }
}

function refusal(expected: string, cause?: unknown): RingrankError {
  return new RingrankError("RR_OPTION", `hugePages: expected ${expected}`, { cause });
}
