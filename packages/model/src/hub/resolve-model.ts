import { existsSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";
import { RingrankError } from "@ringrank/errors";
import { homeDirectory } from "../files/home-directory.js";
import { decodeUtf8, readFile } from "../files/read-file.js";

/** Environment variables that determine where the hub's cache is. */
export type HubEnvironment = Readonly<Record<string, string | undefined>>;

const mainRevision = "main";
/** More than enough for a commit, which has 40. */
const mostBytesOfRef = 1024;

/**
 * The real path of a model: an existing directory or file; otherwise the snapshot of a hub id, `org/name` or
 * `org/name@revision`, in the local cache. Nothing is ever downloaded.
 *
 * ```
 * <cache>/models--org--name/refs/main                  a commit
 * <cache>/models--org--name/snapshots/<commit>/…       links into ../../blobs
 * ```
 *
 * @param environment where to look up HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME and XDG_CACHE_HOME
 * @throws RR_NOT_A_MODEL if it is neither, or a device; the message says where it was looked for
 */
export function resolveModel(pathOrId: string, environment: HubEnvironment = process.env): string {
  if (pathOrId !== "" && !pathOrId.includes("\0") && existsSync(pathOrId)) return realPath(pathOrId);
  const { name, revision } = parseId(pathOrId);
  const download = `hf download ${name}${revision === mainRevision ? "" : ` --revision ${revision}`}`;
  const cache = hubCache(environment);
  const repository = join(cache, `models--${name.replaceAll("/", "--")}`);
  if (!existsSync(repository)) {
    throw notAModel(
      pathOrId,
      `there is no such file or directory, and no ${repository} in the hub's cache. Nothing is downloaded here: ` +
        `fetch it with "${download}", or give a path`,
    );
  }
  const commit = commitOf(repository, revision) ?? revision;
  const snapshot = join(repository, "snapshots", commit);
  if (!isCommit(commit) || !existsSync(snapshot)) {
    throw notAModel(
      pathOrId,
      `${repository} has no snapshot of the revision "${revision}". Nothing is downloaded here: ` +
        `fetch it with "${download}"`,
    );
  }
  return realpathSync(snapshot);
}

/** Keeps a file's own name: in the hub's cache it is a link to a blob, whose name is meaningless. */
function realPath(path: string): string {
  const found = statSync(path);
  if (found.isDirectory()) return realpathSync(path);
  if (found.isFile()) return join(realpathSync(dirname(path)), basename(path));
  throw notAModel(path, "expected a directory or a file, got neither, but a device, a pipe or a socket");
}

/**
 * Resolved like in huggingface_hub: https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables
 */
export function hubCache(environment: HubEnvironment): string {
  const { HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME, XDG_CACHE_HOME } = environment;
  // The second is a former name that still works.
  const cache = HF_HUB_CACHE || HUGGINGFACE_HUB_CACHE;
  if (cache) return expandHome(cache);
  if (HF_HOME) return join(expandHome(HF_HOME), "hub");
  const caches = expandHome(XDG_CACHE_HOME || "~/.cache");
  return join(caches, "huggingface", "hub");
}

/**
 * Accepts every id that the hub assigns, and nothing that could point outside the cache: `name` or `org/name`, of
 * letters, digits, `_`, `-` and `.`, without `..` and `--`. The same for a revision, which may have more `/`.
 */
function parseId(id: string): { name: string; revision: string } {
  const found = /^(?<name>\w[\w.-]*(?:\/\w[\w.-]*)?)(?:@(?<revision>\w[\w.-]*(?:\/\w[\w.-]*)*))?$/.exec(id);
  const { name, revision = mainRevision } = found?.groups ?? {};
  if (name === undefined || id.length > 200 || isAbsolute(id) || id.includes("..") || name.includes("--")) {
    throw notAModel(
      id,
      'there is no such file or directory, and it is not the id of a model, "org/name" or "org/name@revision"',
    );
  }
  return { name, revision };
}

/** The commit of a branch or tag in the cache; undefined if the cache does not have it. */
function commitOf(repository: string, revision: string): string | undefined {
  const ref = join(repository, "refs", ...revision.split("/"));
  if (!existsSync(ref)) return undefined;
  try {
    return decodeUtf8(readFile(ref, mostBytesOfRef, "a commit"), ref, "a commit").trim();
  } catch (cause) {
    throw notAModel(ref, "cannot be read as the commit of a revision", cause);
  }
}

function isCommit(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}

function notAModel(pathOrId: string, why: string, cause?: unknown): RingrankError {
  return new RingrankError("RR_NOT_A_MODEL", `${JSON.stringify(pathOrId)}: ${why}`, { cause });
}

function expandHome(path: string): string {
  return path === "~" || path.startsWith("~/") ? join(homeDirectory(), path.slice(1)) : path;
}
