// Makes one file of each of a package's entries, in dist/bundle, out of what tsc has written to dist.
import { readFileSync, rmSync, statSync } from "node:fs";
import { basename } from "node:path";

/** Modules that nobody imports, since a thread or a process begins with them. */
const startedModules = {
  coordinator: [
    "offload/planning-worker",
    "offload/text-worker",
    "group/rank-thread",
    "conversations/writing-process",
  ],
};

/**
 * Bundles the packages whose compiled code has changed. What other packages export stays an import, so that a process
 * has each once.
 *
 * @param {readonly string[]} names of folders in packages/
 */
export async function bundlePackages(names) {
  const changed = names.filter((name) => {
    const folder = `packages/${name}`;
    const written = lastWritten(`${folder}/dist/bundle/index.js`);
    return (
      written < Math.max(lastWritten(`${folder}/dist/.tsbuildinfo`), lastWritten(`${folder}/package.json`))
    );
  });
  // Some 0.2 s to load, for nothing most of the time.
  const { rolldown } = changed.length > 0 ? await import("rolldown") : {};
  for (const name of changed) await bundlePackage(rolldown, name);
}

async function bundlePackage(rolldown, name) {
  const folder = `packages/${name}`;
  const input = entriesOf(folder, startedModules[name] ?? []);
  const dir = `${folder}/dist/bundle`;
  rmSync(dir, { recursive: true, force: true });
  if (Object.keys(input).length === 0) return;
  const bundle = await rolldown({
    input,
    platform: "node",
    external: (id) => !/^(\.|\/|[A-Za-z]:)/.test(id),
  });
  await bundle.write({ dir, format: "esm", entryFileNames: "[name].js", chunkFileNames: "[name].js" });
  await bundle.close();
}

/** What package.json exports from dist/bundle, and what is started; all side by side, as addresses of their like say. */
function entriesOf(folder, started) {
  const { exports } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  const exported = Object.values(exports)
    .filter((entry) => entry.default?.startsWith("./dist/bundle/"))
    .map((entry) => [basename(entry.default, ".js"), entry.types.replace(/^\.\/dist\/(.*)\.d\.ts$/, "$1")]);
  const all = [...exported, ...started.map((path) => [basename(path), path])];
  return Object.fromEntries(all.map(([name, path]) => [name, `./${folder}/dist/${path}.js`]));
}

function lastWritten(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
