import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { memoized } from "./memoized.js";

/**
 * Whether a test file needs its own process: it, or any module that it loads or starts a thread with, loads ONNX
 * Runtime, which may abort, or sets engine flags, which apply to the whole process.
 */
export function needsOwnProcess(file: string): boolean {
  const met = new Set([resolve(file)]);
  for (const path of met) {
    const { isRisky, loaded } = moduleAt(path);
    if (isRisky) return true;
    for (const other of loaded) met.add(other);
  }
  return false;
}

interface Module {
  readonly isRisky: boolean;
  /** The paths that it loads by relative specifiers. */
  readonly loaded: readonly string[];
}

/** ONNX Runtime's package, and the module of a rank's thread, which loads it. */
const native = /^(onnxruntime-node|@ringrank\/rank-worker\/worker$)/;

/** Calls that set engine flags. */
const setsFlags = /\bset(?:FlagsFromString|KernelFlags)\(/;

/** Matches the specifiers of modules that are loaded at run time, unlike type-only imports. */
const loads =
  /^(?:import|export) (?!type )(?:[^;"']* from )?"([^"]+)"|\b(?:import|require)\(\s*["`]([^"`]+)|\bnew URL\("([^"]+)", import\.meta\.url\)/gm;

const moduleAt = memoized((path: string): Module => {
  const text = readFileSync(path, "utf8");
  const specifiers = Array.from(
    text.matchAll(loads),
    ([, ...found]) => found.find((one) => one !== undefined)!,
  );
  const isRisky = specifiers.some((one) => native.test(one)) || setsFlags.test(text);
  const loaded = specifiers
    .filter((one) => one.startsWith("."))
    .flatMap((one) => sourceOf(resolve(dirname(path), one)));
  return { isRisky, loaded };
});

/** A module's source, also if the imported file is compiled from it; nothing if it is not a module. */
function sourceOf(path: string): string[] {
  const source = path.replace("/dist/", "/src/").replace(/\.js$/, ".ts");
  return /\.(ts|mjs)$/.test(source) && existsSync(source) ? [source] : [];
}
