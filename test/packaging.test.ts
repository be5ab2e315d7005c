import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { publint } from "publint";
import { beforeAll, describe, expect, test } from "vitest";
import { libraryExample, linkedFiles } from "./support/readme.js";
import {
  type ProgramResult,
  type RunProgramOptions,
  root,
  runNode,
  runProgram,
} from "./support/run-program.js";
import { suiteDirectory } from "./support/temporary-directory.js";

/**
 * Packing, installing and compiling may take longer than a test usually may: npm reads the runtime's 100 MB, and tsc
 * all types.
 */
const longMs = 300_000;

interface SourceMap {
  readonly sources: readonly string[];
  readonly sourcesContent: readonly string[];
}

interface Exporting {
  readonly exports: Readonly<Record<string, unknown>>;
}

const isWindows = process.platform === "win32";
const { packageManager } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as {
  packageManager: string;
};

/** Runs npm or npx as a user would, without the environment variables that npm sets for these tests. */
function runNpm(
  command: "npm" | "npx",
  args: readonly string[],
  options: RunProgramOptions,
): Promise<ProgramResult> {
  const inherited = Object.keys(process.env).filter((name) => /^npm_|^NODE_OPTIONS$|^VITEST/i.test(name));
  const env = { ...Object.fromEntries(inherited.map((name) => [name, undefined])), ...options.env };
  return runProgram(isWindows ? `${command}.cmd` : command, args, { ...options, env, timeoutMs: longMs });
}

describe("the packages, packed and installed with npm in an empty folder", () => {
  const packed = suiteDirectory();
  const consumer = suiteDirectory({
    "package.json": JSON.stringify({ name: "consumer", private: true, type: "module" }),
  });
  const tarballs = () => readdirSync(packed).map((name) => `${packed}/${name}`);

  /** The modules of the packages: `@ringrank/model`, `@ringrank/model/tokenizer`, … */
  function entries(): string[] {
    const modules = `${consumer}/node_modules`;
    const names = readdirSync(`${modules}/@ringrank`).map((name) => `@ringrank/${name}`);
    return ["ringrank", ...names].flatMap((name) => {
      const { exports } = JSON.parse(readFileSync(`${modules}/${name}/package.json`, "utf8")) as Exporting;
      const paths = Object.keys(exports).filter((path) => !path.endsWith(".wasm"));
      return paths.map((path) => name + path.slice(1));
    });
  }

  beforeAll(async () => {
    const packAll = ["--yes", packageManager, "--recursive", "--filter", "./packages/*", "pack"];
    const pack = await runNpm("npx", [...packAll, "--pack-destination", packed], { cwd: root });
    expect(pack.exitCode, pack.stderr).toBe(0);
    const install = await runNpm(
      "npm",
      ["install", "--no-audit", "--no-fund", "--prefer-offline", ...tarballs()],
      {
        cwd: consumer,
        // The README tells consumers to skip the runtime's GPU download in this way.
        env: { ONNXRUNTIME_NODE_INSTALL: "skip" },
      },
    );
    expect(install.exitCode, install.stderr).toBe(0);
  }, longMs);

  test("run the README's library example with plain node", async () => {
    writeFileSync(`${consumer}/example.mjs`, libraryExample());
    const { exitCode, stdout, stderr } = await runNode(["example.mjs"], { cwd: consumer });
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/column-parallel/);
  });

  test("have READMEs without links outside their package, so that a registry shows them correctly", () => {
    const names = readdirSync(`${consumer}/node_modules/@ringrank`).map((name) => `@ringrank/${name}`);
    const dead = ["ringrank", ...names].flatMap((name) => {
      const folder = `${consumer}/node_modules/${name}`;
      const files = linkedFiles(readFileSync(`${folder}/README.md`, "utf8"));
      const missing = files.filter((file) => file.startsWith("..") || !existsSync(`${folder}/${file}`));
      return missing.map((file) => `${name}: ${file}`);
    });
    expect(dead).toEqual([]);
  });

  test("provide npx ringrank, with its help", async () => {
    const { exitCode, stdout } = await runNpm("npx", ["ringrank", "--help"], { cwd: consumer });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^Usage: ringrank/);
  });

  test("have a source map with sources for every script that does more than import and export", () => {
    const modules = `${consumer}/node_modules`;
    const scripts = ["ringrank", "@ringrank"].flatMap((folder) =>
      readdirSync(`${modules}/${folder}`, { recursive: true, encoding: "utf8" })
        .filter((path) => path.endsWith(".js"))
        .map((path) => `${modules}/${folder}/${path}`),
    );
    expect(scripts.length).toBeGreaterThan(30);
    for (const script of scripts) {
      const text = readFileSync(script, "utf8");
      const [, map] = /^\/\/# sourceMappingURL=(.+)$/m.exec(text) ?? [];
      if (map === undefined) {
        expect(text, script).toMatch(/^((import|export) \{.*\} from ".+";\n?|export \{.*\};\n?)+$/);
        continue;
      }
      const { sources, sourcesContent } = JSON.parse(
        readFileSync(`${dirname(script)}/${map}`, "utf8"),
      ) as SourceMap;
      const ours = sources.filter((source) => !source.includes("/node_modules/"));
      expect(
        ours.filter((source) => !source.endsWith(".ts")),
        script,
      ).toEqual([]);
      expect(sourcesContent, script).toHaveLength(sources.length);
    }
  });

  test("have stacks that name the TypeScript, also in their threads, if Node is asked to use the maps", async () => {
    const script = `import { planModel } from "@ringrank/coordinator"; await planModel(".");`;
    const { stderr } = await runNode(["--enable-source-maps", "--input-type=module", "-e", script], {
      cwd: consumer,
    });
    expect(stderr).toMatch(
      /at openCheckpoint \(.*[/\\]model[/\\]src[/\\]checkpoint[/\\]checkpoint\.ts:\d+:\d+\)/,
    );
    expect(stderr).toMatch(
      /at \S*PlanningDesk\.plan \(.*[/\\]coordinator[/\\]src[/\\]offload[/\\]planning-desk\.ts:/,
    );
  });

  test.each([
    ["nodenext", "nodenext"],
    ["preserve", "bundler"],
  ])(
    "have types in all entries that the strictest consumer compiles against, checked with those of dependencies and without the DOM's (module %s, moduleResolution %s)",
    async (module, moduleResolution) => {
      writeFileSync(
        `${consumer}/consumer.mts`,
        `import { type Communicator, type FactorDecision, loadModel, type Model, type Tensor } from "@ringrank/coordinator";
       import { createGroup, isRingrankError, joinGroup } from "@ringrank/collectives";
       import { demoModel } from "ringrank";
       const model: Model = await loadModel(demoModel, { ranks: 2 });
       const { logits } = await model.run({ input_ids: [[5, 6, 7]] });
       export const first: number | undefined = logits?.type === "float32" ? logits.data[0] : undefined;
       export const tensor: Tensor | undefined = logits;
       export const factor: FactorDecision | undefined = model.policy.factors[0];
       export const table: string = model.policy.table({ short: undefined });
       const comm: Communicator = joinGroup(createGroup({ worldSize: 1, wire: undefined }), 0, { kernels: undefined });
       comm.allGather(new Float32Array(1), { counts: undefined, out: undefined });
       export const isCoded: boolean = isRingrankError(undefined);
       // @ts-expect-error: a number of ranks is a number.
       await loadModel(demoModel, { ranks: "2" });
       ${entries()
         .map((entry, at) => `export * as entry${at} from "${entry}";`)
         .join("\n")}
      `,
      );
      const strict = ["--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess"];
      const modules = ["--module", module, "--moduleResolution", moduleResolution];
      const options = ["--noEmit", ...strict, ...modules, "--target", "es2022"];
      const types = ["--types", "node", "--typeRoots", `${root}node_modules/@types`];
      const tsc = [
        `${root}node_modules/typescript/bin/tsc`,
        ...options,
        "--lib",
        "es2023,esnext.disposable",
        ...types,
      ];
      const { stdout, stderr } = await runNode([...tsc, "consumer.mts"], {
        cwd: consumer,
        timeoutMs: longMs,
      });
      expect(stderr).toBe("");
      expect(stdout).toBe("");
    },
    longMs,
  );

  test("contain a README, the licence and no build leftovers; publint finds no fault", async () => {
    expect(tarballs()).toHaveLength(readdirSync(`${root}packages`).length);
    for (const path of tarballs()) {
      const name = path.slice(packed.length + 1);
      const { stdout } = await runProgram("tar", ["-tzf", path]);
      const files = stdout.trim().split("\n");
      expect(files, name).toContain("package/README.md");
      expect(files, name).toContain("package/LICENSE");
      expect(files, name).toContain(`package/dist/${name.startsWith("ringrank-0") ? "" : "bundle/"}index.js`);
      expect(
        files.filter((file) => /tsbuildinfo|\.d\.ts\.map$|\.test\.|\/testing\/|golden/.test(file)),
        name,
      ).toEqual([]);
      const { buffer } = new Uint8Array(readFileSync(path));
      const { messages } = await publint({ pack: { tarball: buffer }, level: "warning" });
      expect(messages, name).toEqual([]);
    }
  });
});
