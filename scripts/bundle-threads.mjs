// Puts what a thread imports into one file. A thread compiles all it imports anew, and through the loader of modules a
// hundred small files take it five times as long as one: docs/design-notes.md, "Loading".
import { readdirSync, readFileSync, statSync } from "node:fs";
import { relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** Modules that threads begin with, as tsc has compiled them. */
const threads = { "packages/rank-worker/dist/worker.js": "packages/rank-worker/dist/thread/worker.js" };

/** Bundles again what is older than any compiled module, or than this file. */
export async function bundleThreads() {
  const compiled = readdirSync("packages").map((name) => newest(`packages/${name}/dist`));
  const changed = Math.max(...compiled, written(fileURLToPath(import.meta.url)));
  for (const [entry, outfile] of Object.entries(threads)) {
    if (written(outfile) > changed) continue;
    await build({
      entryPoints: [entry],
      outfile,
      bundle: true,
      format: "esm",
      platform: "node",
      target: "node20",
      sourcemap: true,
      sourcesContent: false,
      plugins: [ownPackages, kernelFiles],
      logLevel: "warning",
    });
  }
}

/** Other packages stay where they are installed: they are few files, and one is native. */
const ownPackages = {
  name: "own packages",
  setup({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      kind === "entry-point" || path.startsWith("@ringrank/") ? undefined : { external: true },
    );
  },
};

/** A module finds its package's kernels from where it lies; in a bundle, from what the package exports. */
const kernelFiles = {
  name: "kernel files",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]packages[\\/][^\\/]+[\\/]dist[\\/].*\.js$/ }, ({ path }) => {
      const [, name] = relative(process.cwd(), path).split(sep);
      const contents = readFileSync(path, "utf8").replaceAll(
        /new URL\("[./]+\/dist\/([\w-]+\.wasm)", import\.meta\.url\)/g,
        (_, file) => `new URL(import.meta.resolve("@ringrank/${name}/${file}"))`,
      );
      return { contents, loader: "js" };
    });
  },
};

/** When the last module of a package was compiled. */
function newest(dist) {
  const modules = readdirSync(dist, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".js") && !file.startsWith(`thread${sep}`),
  );
  return Math.max(...modules.map((file) => written(`${dist}/${file}`)));
}

function written(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
