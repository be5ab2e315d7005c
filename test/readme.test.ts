import { existsSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { errorCodes } from "@ringrank/errors";
import { buildGraph, openCheckpoint } from "@ringrank/model";
import { planGraph } from "@ringrank/policy";
import { describe, expect, test } from "vitest";
import { modelTypes } from "../packages/model/src/architectures/index.js";
import { zooDirectory, zooNames } from "../packages/model/src/testing/fixtures.js";
import {
  codeBlocks,
  headingsLinkedElsewhere,
  headingsOf,
  libraryExample,
  linkedFiles,
  linkedHeadings,
  readme,
} from "./support/readme.js";
import { root, runNode } from "./support/run-program.js";
import { temporaryDirectory } from "./support/temporary-directory.js";

describe("README.md", () => {
  test("has a library example that runs as it stands, with plain node", async () => {
    const directory = temporaryDirectory({ "example.mjs": libraryExample() });
    symlinkSync(`${root}node_modules`, `${directory}/node_modules`, "junction");
    const { exitCode, stdout, stderr } = await runNode(["example.mjs"], { cwd: directory });
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/float32 \[ 1, 3, 2048 \]\n/);
    expect(stdout).toMatch(/down_proj\.weight \(6\) .*row-parallel/);
  });

  test("shows the commands and the example on its first screen", () => {
    const firstScreen = readme.split("\n").slice(0, 40).join("\n");
    expect(firstScreen).toMatch(/^npm start\b/m);
    expect(firstScreen).toMatch(/^npm test\b/m);
    expect(firstScreen).toContain(libraryExample());
  });

  test("shows a policy table that the command prints", async () => {
    const [, command] = /`npx ringrank (plan [^`]+)`/.exec(readme)!;
    const { stdout } = await runNode([`${root}packages/cli/bin/ringrank.mjs`, ...command!.split(" ")]);
    expect(codeBlocks("text")).toContain(stdout);
  });

  test("names a command that exists before anything is built, so that an install can link it", () => {
    const { bin } = JSON.parse(readFileSync(`${root}packages/cli/package.json`, "utf8"));
    expect(bin).toEqual({ ringrank: expect.not.stringContaining("dist/") });
  });
});

const documents = [
  "README.md",
  "CONTRIBUTING.md",
  "examples/README.md",
  ...readdirSync(`${root}docs`, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name.replaceAll("\\", "/")}`),
  ...readdirSync(`${root}packages`).map((name) => `packages/${name}/README.md`),
];

test.each(documents)("%s links to files that exist", (document) => {
  const links = linkedFiles(readFileSync(root + document, "utf8"));
  const missing = links.filter((target) => !existsSync(resolve(root, dirname(document), target)));
  expect(missing).toEqual([]);
});

test.each(documents)("%s links to headings that exist in it", (document) => {
  const markdown = readFileSync(root + document, "utf8");
  expect(headingsOf(markdown)).toEqual(expect.arrayContaining(linkedHeadings(markdown)));
});

test.each(documents)("%s links to headings that exist in other documents", (document) => {
  const links = headingsLinkedElsewhere(readFileSync(root + document, "utf8"));
  const missing = links.filter(
    ([file, heading]) =>
      !headingsOf(readFileSync(resolve(root, dirname(document), file), "utf8")).includes(heading),
  );
  expect(missing).toEqual([]);
});

test("docs/design/README.md lists every other file of its folder", () => {
  const listed = linkedFiles(readFileSync(`${root}docs/design/README.md`, "utf8"));
  expect(["README.md", ...listed].sort()).toEqual(readdirSync(`${root}docs/design`).sort());
});

test("docs/errors.md explains every error code, and no other, in the words of the code", () => {
  const rows = readFileSync(`${root}docs/errors.md`, "utf8").matchAll(
    /^\| `(RR_\w+)` \| (.+?) \| (.+) \|$/gm,
  );
  expect(Object.fromEntries([...rows].map(([, code, meaning]) => [code, meaning]))).toEqual(errorCodes);
});

test("packages/model/README.md lists every known model_type", () => {
  const [, list] = /```text\n([^`]+)```/.exec(readFileSync(`${root}packages/model/README.md`, "utf8"))!;
  expect(list!.trim().split(/,\s+/)).toEqual(modelTypes());
});

test("docs/architectures.md has every checkpoint, with its current sharding", () => {
  const table = readFileSync(`${root}docs/architectures.md`, "utf8");
  const rows = [...table.matchAll(/^\| ([^|]+) \| ([^|]+) \| (\d+) \|/gm)].map(([, ...cells]) => cells);
  expect(rows.map(([name]) => name)).toEqual(zooNames());
  // Planning all of them would take too long; changed words or decisions show in some.
  for (const [name, ...documented] of rows.filter((_, index) => index % 5 === 1)) {
    const { graph } = buildGraph(openCheckpoint(zooDirectory(name!)));
    const { factors, collectives } = planGraph(graph, { ranks: 2 });
    const sharded = factors.filter((factor) => factor.sharded).map(({ units, label }) => `${units} ${label}`);
    expect(documented, name).toEqual([[...new Set(sharded)].join(", "), String(collectives.length)]);
  }
});
