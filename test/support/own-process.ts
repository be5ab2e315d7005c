import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { memoized } from "./memoized.js";

/**
 * Whether a test file needs a process of its own: it, or any module that it loads, or begins a thread with, loads ONNX
 * Runtime, which may abort, or sets flags of the engine, which are its process's.
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
  /** Paths of what it loads by a relative specifier. */
  readonly loaded: readonly string[];
}

/** ONNX Runtime's package, and a rank's thread, which loads it. */
const native = /^(onnxruntime-node|@ringrank\/rank-worker\/worker$)/;

/** Of specifiers of modules that are there when the code runs, as those of types alone are not. */
const loads =
  /^(?:import|export) (?!type )(?:[^;"']* from )?"([^"]+)"|\b(?:import|require)\(\s*["`]([^"`]+)|\bnew URL\("([^"]+)", import\.meta\.url\)/gm;

const moduleAt = memoized((path: string): Module => {
  const text = readFileSync(path, "utf8");
  const specifiers = Array.from(
    text.matchAll(loads),
    ([, ...found]) => found.find((one) => one !== undefined)!,
  );
  const isRisky = specifiers.some((one) => native.test(one)) || text.includes("setFlagsFromString");
  const loaded = specifiers
    .filter((one) => one.startsWith("."))
    .flatMap((one) => sourceOf(resolve(dirname(path), one)));
  return { isRisky, loaded };
});

/** A module's source, where what is imported is compiled from one; nothing for what is no module. */
function sourceOf(path: string): string[] {
  const source = path.replace("/dist/", "/src/").replace(/\.js$/, ".ts");
  return /\.(ts|mjs)$/.test(source) && existsSync(source) ? [source] : [];
}
