import { existsSync, readdirSync, realpathSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import { isRingrankError } from "@ringrank/errors";
import type { PolicyData } from "@ringrank/policy";
import { entryKey, ownProducts, readPlan, type ShardCache } from "@ringrank/rank-worker";
import type { Log } from "../logger.js";
import type { Preparation } from "../offload/planning-service.js";
import type { CheckedLoadOptions } from "../options/check-load-options.js";
import { planRequest } from "./plan-request.js";

/** The result of planning, which is everything that a load needs to know of a model before its ranks read weights. */
export interface Plan extends Preparation {
  readonly policy: PolicyData;
  /** Where the model's tokenizer would be. */
  readonly directory: string;
  /**
   * By rank: bytes of weights of products that were to be separate steps, but for which ranks had no memory at the time
   * of planning, so that the products are within segments.
   */
  readonly refused?: readonly number[];
  /** What identifies the ranks' weights in the cache; only for a stored plan. */
  readonly contents?: ShardCache["contents"];
}

/** A model with more files, or in a directory with many other files, is always planned again. */
const mostFiles = 256;

/**
 * The plan of a load, in the cache of quantized weights. A load that finds it need not open or plan the model. Like the
 * weights, it is only stored if something is quantized.
 *
 * It is identified by everything that planning depends on: the code, the relevant options, and the files in the model's
 * directory and its folders, one level deep, without hidden ones. (A model that is given by the path of its file is
 * always planned again, since planning looks at the files around it.)
 */
export class KeptPlan {
  readonly #key: string;
  /** The files that identify it. */
  readonly #files: readonly string[];
  readonly #directory: string;
  readonly #logger: Log;

  private constructor(key: string, files: readonly string[], directory: string, logger: Log) {
    this.#key = key;
    this.#files = files;
    this.#directory = directory;
    this.#logger = logger;
  }

  /**
   * @param model its real path
   * @returns undefined if the plan may not be stored
   */
  static of(model: string, options: CheckedLoadOptions, logger: Log): KeptPlan | undefined {
    const { cache, precision, threadsPerRank } = options;
    if (cache === undefined || precision === "float32") return undefined;
    const compiled = lastCompiled();
    try {
      const files = statSync(model).isDirectory() ? filesOf(model) : undefined;
      if (files === undefined) return undefined;
      const plan = { ...planRequest(model, options), products: ownProducts(threadsPerRank) };
      // The format of V8's serialization depends on its version.
      const key = entryKey({ plan, engine: process.versions.v8, compiled }, files);
      return new KeptPlan(key, files, cache.directory, logger);
    } catch (error) {
      // A file cannot be read, or a policy is not JSON: planning will report it.
      logger.debug({ err: error }, "cannot tell whether an earlier load had the same plan; planning again");
      return undefined;
    }
  }

  /** Whether an earlier load has stored one, which may still be unusable. */
  get isThere(): boolean {
    return existsSync(join(this.#directory, this.#key));
  }

  /**
   * Returns undefined if there is no usable plan. That is logged, except for an unfit directory, which the load reports
   * when it opens the directory for the weights.
   */
  read(): Plan | undefined {
    try {
      const bytes = readPlan(this.#directory, this.#key);
      return bytes && (deserialize(bytes) as Plan);
    } catch (error) {
      if (isRingrankError(error) && error.code === "RR_CACHE") return undefined;
      this.#logger.warn({ err: error }, "cannot use the plan of an earlier load; planning again");
      return undefined;
    }
  }

  /** Removes a plan that is not right for this load; otherwise {@link keep} would not replace it. */
  remove(): void {
    try {
      rmSync(join(this.#directory, this.#key), { recursive: true, force: true });
    } catch (error) {
      this.#logger.warn(
        { err: error },
        "cannot remove the plan of an earlier load; every load will plan again",
      );
    }
  }

  /**
   * Stores the plan for the next load, unless weights are in files that do not identify it, such as hidden ones, and
   * may change without it. Failures are logged.
   */
  keep(plan: Plan, cache: ShardCache): void {
    try {
      const identifying = new Set(this.#files.map((file) => realpathSync(file)));
      if (!plan.files.every(({ path }) => identifying.has(realpathSync(path)))) return;
      cache.keepPlan(this.#key, serialize({ ...plan, contents: cache.contents } satisfies Plan));
    } catch (error) {
      this.#logger.warn({ err: error }, "cannot cache the plan of this load; the next one will plan again");
    }
  }
}

/** The files that identify a model's plan, in order. Undefined if there are more than {@link mostFiles}. */
function filesOf(model: string): string[] | undefined {
  const files: string[] = [];
  for (const file of walk(model, 1)) if (files.push(file) > mostFiles) return undefined;
  return files;
}

/** The files of a directory and this many levels below it, in order. Hidden files belong to other programs. */
function* walk(directory: string, depth: number): Generator<string> {
  const names = readdirSync(directory).filter((name) => !name.startsWith("."));
  for (const name of names.sort()) {
    const path = join(directory, name);
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isFile()) yield path;
    else if (found?.isDirectory() && depth > 0) yield* walk(path, depth - 1);
  }
}

/**
 * For a checkout, where the library's version does not identify the code: the times at which the packages that plan,
 * and that identify weights, were last compiled. Undefined in a bundle, where there are no packages.
 */
function lastCompiled(): number[] | undefined {
  try {
    const require = createRequire(import.meta.url);
    const names = ["@ringrank/model", "@ringrank/policy", "@ringrank/rank-worker"];
    const packages = names.map((name) => require.resolve(name));
    return [import.meta.filename, ...packages].map((path) => statSync(path).mtimeMs);
  } catch {
    return undefined;
  }
}
