import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, onTestFinished } from "vitest";

type Files = Readonly<Record<string, string | Uint8Array>>;

/** The real path of a new directory with `files` in it, by relative path. It is removed when the test ends. */
export function temporaryDirectory(files: Files = {}): string {
  const directory = makeDirectory(files);
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Like {@link temporaryDirectory}, but removed when the calling suite ends. */
export function suiteDirectory(files: Files = {}): string {
  const directory = makeDirectory(files);
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function makeDirectory(files: Files): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "ringrank-")));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), content);
  }
  return directory;
}
