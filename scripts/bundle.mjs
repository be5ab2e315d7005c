// Bundles each of a package's entries into one file in dist/bundle, from tsc's output in dist.
import { readFileSync, rmSync, statSync } from "node:fs";
import { basename } from "node:path";

/** Modules that are not imported, since a thread or a process starts with them. */
const startedModules = {
  coordinator: [
    "offload/planning-worker",
    "offload/text-worker",
    "group/rank-worker",
    "conversations/writing-process",
  ],
};

/**
 * Dependencies that are bundled with the modules that import them. They remain dependencies, for their declarations.
 *
 * protobuf consists of dozens of small files, and every thread that plans a model would read and compile all of them,
 * which takes some 0.1 s; in a bundle, only used code is compiled. comlink is a CommonJS module, which Node reads
 * twice, as it searches for names that it might export.
 */
const bundledDependencies = ["@bufbuild/protobuf", "comlink"];

/**
 * Bundles the packages whose compiled code has changed. Imports of other packages stay imports, so that a process loads
 * each once.
 *
 * @param {readonly string[]} names of folders in packages/
 */
export async function bundlePackages(names) {
  const changed = names.filter(isOutdated);
  // Loading it takes some 0.2 s, usually for nothing.
  const { rolldown } = changed.length > 0 ? await import("rolldown") : {};
  for (const name of changed) await bundlePackage(rolldown, name);
}

function isOutdated(name) {
  const folder = `packages/${name}`;
  const [first] = Object.keys(entriesOf(name));
  if (first === undefined) return false;
  const sources = [`${folder}/dist/.tsbuildinfo`, `${folder}/package.json`, import.meta.filename];
  return lastWritten(`${folder}/dist/bundle/${first}.js`) < Math.max(...sources.map(lastWritten));
}

async function bundlePackage(rolldown, name) {
  const dir = `packages/${name}/dist/bundle`;
  rmSync(dir, { recursive: true, force: true });
  const isBundled = (id) => bundledDependencies.some((name) => id === name || id.startsWith(`${name}/`));
  const isOthers = (id) => !/^(\.|\/|[A-Za-z]:)/.test(id) && !isBundled(id);
  const bundle = await rolldown({
    input: entriesOf(name),
    platform: "node",
    external: isOthers,
    plugins: [typescriptSources],
  });
  const names = { entryFileNames: "[name].js", chunkFileNames: "[name].js" };
  await bundle.write({ dir, format: "esm", sourcemap: true, banner: noticesOf, ...names, ...soonParsed });
  await bundle.close();
}

/**
 * Every thread reads and parses its bundles anew. Documentation is a fifth of them, and for a single character outside
 * of Latin-1, the engine holds and scans a whole file in two bytes per character.
 */
const soonParsed = { comments: { jsdoc: false }, charset: "ascii" };

/** Makes source maps lead to the TypeScript, which tsc's maps contain, instead of tsc's output. */
const typescriptSources = {
  name: "typescript-sources",
  load: (file) =>
    isDependency(file)
      ? undefined
      : {
          code: readFileSync(file, "utf8").replace(/^\/\/# sourceMappingURL=.*\n?/m, ""),
          map: JSON.parse(readFileSync(`${file}.map`, "utf8")),
        },
};

/** The copyright and licence notices of dependencies in a chunk: the comments at the top of their files, each once. */
function noticesOf({ moduleIds }) {
  const comments = moduleIds
    .filter(isDependency)
    .map((file) => /^(\/\/.*\n)+/.exec(readFileSync(file, "utf8"))?.[0] ?? "");
  // Some comments continue with a description of the file.
  const isLonger = (comment) => comments.some((other) => other !== comment && comment.startsWith(other));
  return [...new Set(comments)].filter((comment) => !isLonger(comment)).join("\n");
}

const isDependency = (file) => /[\\/]node_modules[\\/]/.test(file);

/**
 * The entries that package.json exports from dist/bundle, and the modules that are started; all in one folder, as their
 * relative URLs require.
 */
function entriesOf(name) {
  const folder = `packages/${name}`;
  const { exports } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  const exported = Object.values(exports)
    .filter((entry) => entry.default?.startsWith("./dist/bundle/"))
    .map((entry) => [basename(entry.default, ".js"), entry.types.replace(/^\.\/dist\/(.*)\.d\.ts$/, "$1")]);
  const started = (startedModules[name] ?? []).map((path) => [basename(path), path]);
  return Object.fromEntries(
    [...exported, ...started].map(([entry, path]) => [entry, `./${folder}/dist/${path}.js`]),
  );
}

function lastWritten(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
