import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import { isRingrankError } from "@ringrank/errors";
import { resolveModel } from "@ringrank/model/serving";
import type { PolicyData } from "@ringrank/policy";
import { entryKey, ownProducts, readPlan, type ShardCache } from "@ringrank/rank-worker";
import type { Log } from "./logger.js";
import type { Preparation } from "./offload/planning-service.js";
import type { CheckedLoadOptions } from "./options/check-load-options.js";

/** All that planning gives, and so all that a load has to know of a model before its ranks read weights. */
export interface Plan extends Preparation {
  readonly policy: PolicyData;
  /** Where the model's tokenizer would be. */
  readonly directory: string;
  /**
   * By rank: bytes of weights of products apart, for which ranks had no memory when this was planned, so that products
   * are within segments.
   */
  readonly refused?: readonly number[];
  /** What the cache knows the ranks' weights by; only of a plan that was kept. */
  readonly contents?: ShardCache["contents"];
}

/** A model that has more files, or lies in a directory with much else, is planned anew. */
const mostFiles = 256;

/**
 * The plan of a load, in the cache of quantized weights: a load that finds it need not open the model, nor plan. Like
 * its weights, it is kept where something is quantized.
 *
 * It is known by all that planning depends on: the code, the options that concern it, and the files of the model's
 * directory and of its folders, one level deep and none hidden. (A model that is named by its file is planned anew,
 * since planning looks around it.)
 */
export class KeptPlan {
  readonly #key: string;
  readonly #directory: string;
  readonly #logger: Log;

  private constructor(key: string, directory: string, logger: Log) {
    this.#key = key;
    this.#directory = directory;
    this.#logger = logger;
  }

  /**
   * @returns undefined where none may be kept
   * @throws RR_NOT_A_MODEL
   */
  static of(pathOrId: string, options: CheckedLoadOptions, logger: Log): KeptPlan | undefined {
    const { cache, dtype, ranks, objective, memoryPerRank, precision, activations, policy } = options;
    if (cache === undefined || precision === "float32") return undefined;
    const model = resolveModel(pathOrId);
    const compiled = lastCompiled();
    try {
      const files = statSync(model).isDirectory() ? filesOf(model) : undefined;
      if (files === undefined) return undefined;
      const products = ownProducts(options.threadsPerRank);
      const given = {
        model,
        dtype,
        ranks,
        objective,
        memoryPerRank,
        precision,
        activations,
        policy,
        products,
      };
      // The engine's serialization is its version's own.
      const key = entryKey({ plan: given, engine: process.versions.v8, compiled }, files);
      return new KeptPlan(key, cache.directory, logger);
    } catch (error) {
      // A file that cannot be read, or a policy that is no JSON: planning says what is wrong with it.
      logger.debug({ err: error }, "cannot tell whether an earlier load had the same plan; planning again");
      return undefined;
    }
  }

  /** Whether an earlier load has left one. It may turn out that it cannot be used. */
  get isThere(): boolean {
    return existsSync(join(this.#directory, this.#key));
  }

  /**
   * Undefined where there is none, or none that can be used. That is logged, but of a directory that is unfit the load
   * tells as it opens it for the weights.
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

  /** For one that is not right for this load: what is there already, {@link keep} leaves. */
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

  /** For the next load. What prevents it is logged. */
  keep(plan: Plan, cache: ShardCache): void {
    try {
      cache.keepPlan(this.#key, serialize({ ...plan, contents: cache.contents } satisfies Plan));
    } catch (error) {
      this.#logger.warn({ err: error }, "cannot cache the plan of this load; the next one will plan again");
    }
  }
}

/**
 * The files that a model's plan is known by, in order. Undefined where there are none, or more than {@link mostFiles}.
 */
function filesOf(model: string): string[] | undefined {
  const files: string[] = [];
  for (const file of walk(model, 1)) if (files.push(file) > mostFiles) return undefined;
  return files.length === 0 ? undefined : files;
}

/** The files of a directory, and so many levels below, in order. What is hidden belongs to other programs. */
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
 * In a checkout, where the library's version does not tell: when the packages that plan, and that know weights by their
 * contents, were last compiled. Undefined in a bundle, where there are no packages.
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
