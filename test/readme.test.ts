import { existsSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { errorCodes } from "@ringrank/errors";
import { describe, expect, test } from "vitest";
import { codeBlocks, libraryExample, readme } from "./support/readme.js";
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
    const { stdout } = await runNode([`${root}packages/cli/dist/main.js`, ...command!.split(" ")]);
    expect(codeBlocks("text")).toContain(stdout);
  });
});

const documents = [
  "README.md",
  "CONTRIBUTING.md",
  "examples/README.md",
  ...readdirSync(`${root}docs`).map((name) => `docs/${name}`),
  ...readdirSync(`${root}packages`).map((name) => `packages/${name}/README.md`),
];

test.each(documents)("%s links to files that exist", (document) => {
  const text = readFileSync(root + document, "utf8");
  const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target]) => target!);
  const missing = links.filter((target) => !existsSync(resolve(root, dirname(document), target)));
  expect(missing).toEqual([]);
});

test("docs/errors.md explains every error code, in the words of the code, and no other", () => {
  const rows = readFileSync(`${root}docs/errors.md`, "utf8").matchAll(
    /^\| `(RR_\w+)` \| (.+?) \| (.+) \|$/gm,
  );
  expect(Object.fromEntries([...rows].map(([, code, meaning]) => [code, meaning]))).toEqual(errorCodes);
});
