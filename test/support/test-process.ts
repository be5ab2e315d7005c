import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { memoized } from "./memoized.js";

/**
 * With which others a test file shares its process. Engine flags apply to the whole process, so a file that sets any,
 * or loads a module or starts a thread that does, has its own; those that set only the flags of optimized kernels share
 * one. A module that another file has loaded can no longer be mocked, so files that mock have their own, too.
 */
export function processOf(file: string): "shared" | "kernels" | "own" {
  const met = new Set([resolve(file)]);
  for (const path of met) {
    const { affectsOthers, loaded } = moduleAt(path);
    if (affectsOthers && path !== optimizedKernels) return "own";
    for (const other of loaded) met.add(other);
  }
  return met.has(optimizedKernels) ? "kernels" : "shared";
}

const optimizedKernels = fileURLToPath(new URL("optimized-kernels.ts", import.meta.url));

interface Module {
  readonly affectsOthers: boolean;
  /** The paths that it loads by relative specifiers. */
  readonly loaded: readonly string[];
}

/** Calls that set engine flags, or mock a module. */
const affectsOthers = /\b(?:setFlagsFromString|setKernelFlags|vi\.mock)\(/;

/** Matches the specifiers of modules that are loaded at run time, unlike type-only imports. */
const loads =
  /^(?:import|export) (?!type )(?:[^;"']* from )?"([^"]+)"|\b(?:import|require)\(\s*["`]([^"`]+)|\bnew URL\("([^"]+)", import\.meta\.url\)/gm;

const moduleAt = memoized((path: string): Module => {
  const text = readFileSync(path, "utf8");
  const specifiers = Array.from(
    text.matchAll(loads),
    ([, ...found]) => found.find((one) => one !== undefined)!,
  );
  const loaded = specifiers
    .filter((one) => one.startsWith("."))
    .flatMap((one) => sourceOf(resolve(dirname(path), one)));
  return { affectsOthers: affectsOthers.test(text), loaded };
});

/** A module's source, also if the imported file is compiled from it; nothing if it is not a module. */
function sourceOf(path: string): string[] {
  const source = path.replace("/dist/", "/src/").replace(/\.js$/, ".ts");
  return /\.(ts|mjs)$/.test(source) && existsSync(source) ? [source] : [];
}
