import { readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { deserialize, serialize } from "node:v8";
import { resolveModel } from "@ringrank/model/serving";
import type { PolicyData } from "@ringrank/policy";
import { entryKey, readPlan, type ShardCache } from "@ringrank/rank-worker";
import type { Logger } from "pino";
import type { Preparation } from "./offload/planning-service.js";
import type { CheckedLoadOptions } from "./options/load-options.js";

/** All that planning gives, and so all that a load has to know of a model before its ranks read weights. */
export interface Plan extends Preparation {
  readonly policy: PolicyData;
  /** Where the model's tokenizer would be. */
  readonly directory: string;
}

/** What has more files, or lies in a directory with much else, is planned anew. */
const mostFiles = 256;

/**
 * The plan of a load, in the cache of quantized weights: a load that finds it need not open the model, nor plan. Like
 * its weights, it is kept where something is quantized.
 *
 * It is known by all that planning depends on: the code, the options that concern it, and each file in the model's
 * directory. (A model that is named by its file is planned anew, since planning looks around it.)
 */
export class KeptPlan {
  readonly #key: string;
  readonly #directory: string;
  readonly #logger: Logger;

  private constructor(key: string, directory: string, logger: Logger) {
    this.#key = key;
    this.#directory = directory;
    this.#logger = logger;
  }

  /**
   * @returns undefined where none may be kept
   * @throws RR_NOT_A_MODEL
   */
  static of(pathOrId: string, options: CheckedLoadOptions, logger: Logger): KeptPlan | undefined {
    const { cache, dtype, ranks, objective, memoryPerRank, precision, activations, policy } = options;
    if (cache === undefined || precision === "float32") return undefined;
    const model = resolveModel(pathOrId);
    try {
      const files = statSync(model).isDirectory() ? filesIn(model, 1) : [];
      if (files.length === 0 || files.length > mostFiles) return undefined;
      const given = { model, dtype, ranks, objective, memoryPerRank, precision, activations, policy };
      // The engine's serialization is its version's own.
      const key = entryKey({ plan: given, engine: process.versions.v8, compiled: lastCompiled() }, files);
      return new KeptPlan(key, cache.directory, logger);
    } catch {
      // A file that cannot be read, or a policy that is no JSON: planning says what is wrong with it.
      return undefined;
    }
  }

  /** Undefined where there is none, or none that can be used, which is logged. */
  read(): Plan | undefined {
    try {
      const bytes = readPlan(this.#directory, this.#key);
      return bytes && (deserialize(bytes) as Plan);
    } catch (error) {
      this.#logger.warn({ err: error }, "cannot use the plan of an earlier load; planning anew");
      return undefined;
    }
  }

  /** For the next load. What prevents it is logged. */
  keep(plan: Plan, cache: ShardCache): void {
    try {
      cache.keepPlan(this.#key, serialize(plan));
    } catch (error) {
      this.#logger.warn({ err: error }, "cannot keep the plan of this load; the next one plans again");
    }
  }
}

/** Those of a directory, and so many levels below, in order. What is hidden belongs to other programs. */
function filesIn(directory: string, depth: number): string[] {
  const names = readdirSync(directory).filter((name) => !name.startsWith("."));
  return names.sort().flatMap((name) => {
    const path = join(directory, name);
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory()) return depth > 0 ? filesIn(path, depth - 1) : [];
    return found?.isFile() ? [path] : [];
  });
}

/** In a checkout, where the library's version does not tell: when the packages that plan were last compiled. */
function lastCompiled(): (number | undefined)[] {
  const require = createRequire(import.meta.url);
  const modules = [
    import.meta.filename,
    require.resolve("@ringrank/model"),
    require.resolve("@ringrank/policy"),
  ];
  return modules.map(
    (path) => statSync(join(dirname(path), ".tsbuildinfo"), { throwIfNoEntry: false })?.mtimeMs,
  );
}
