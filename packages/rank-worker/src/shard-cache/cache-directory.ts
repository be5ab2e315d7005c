import { existsSync, lstatSync, mkdirSync, realpathSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { RingrankError } from "@ringrank/errors";
import { homeDirectory } from "@ringrank/model/serving";

/**
 * The directory of quantized shards: `RINGRANK_CACHE`, else `ringrank` in the user's cache directory
 * (https://specifications.freedesktop.org/basedir-spec: a relative `XDG_CACHE_HOME` is ignored).
 */
export function defaultCacheDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  const { RINGRANK_CACHE, XDG_CACHE_HOME } = environment;
  if (RINGRANK_CACHE) return RINGRANK_CACHE;
  const caches =
    XDG_CACHE_HOME && isAbsolute(XDG_CACHE_HOME) ? XDG_CACHE_HOME : join(homeDirectory(), ".cache");
  return join(caches, "ringrank");
}

const how = ", with the option cacheDirectory if there is one, else with RINGRANK_CACHE";

/**
 * Creates the directory if it does not exist, accessible to its owner only. Its contents become a model's weights, so a
 * link, or a directory that others may write to, is refused.
 *
 * @returns its real path
 * @throws RR_CACHE if it cannot be created, is a link or not a directory, belongs to another user, or is open to others
 */
export function privateDirectory(path: string): string {
  try {
    makeDirectories(resolve(path));
  } catch (cause) {
    const what = `cannot make it: ${(cause as Error).message}`;
    throw new RingrankError("RR_CACHE", `${path}: ${what}; choose another directory${how}`, {
      cause,
    });
  }
  const found = lstatSync(path);
  const refuse = (what: string): RingrankError =>
    new RingrankError(
      "RR_CACHE",
      `${path}: expected a directory that only you can access (mode 0700), got ${what}; remove it, or choose ` +
        `another${how}`,
    );
  if (found.isSymbolicLink()) throw refuse("a link");
  if (!found.isDirectory()) throw refuse("something else");
  // Windows has neither owners nor modes here.
  if (process.getuid !== undefined) {
    if (found.uid !== process.getuid()) throw refuse("another user's");
    if ((found.mode & 0o077) !== 0) throw refuse(`mode 0${(found.mode & 0o777).toString(8)}`);
  }
  return realpathSync(path);
}

/**
 * Creates a directory and its missing parents; other processes may create them at the same time. Node's own `recursive`
 * never returns if the system reports ENOENT although the parent exists, as in /proc.
 */
function makeDirectories(path: string): void {
  // Not called for an existing directory either, because Node's permission model refuses to create one that exists.
  if (existsSync(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeDirectories(parent);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
