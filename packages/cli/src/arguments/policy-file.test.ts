import { writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { readPolicyFile } from "./policy-file.js";

const written = '{\r\n  "version": 2\r\n}\r\n';

test.each([
  ["UTF-8", Buffer.from(written)],
  ["UTF-8 after a byte order mark, as Windows' editors write it", Buffer.from(`\ufeff${written}`)],
  ["UTF-16, as `>` of Windows PowerShell writes it", Buffer.from(`\ufeff${written}`, "utf16le")],
])("reads a policy in %s", async (_, bytes) => {
  const path = `${temporaryDirectory()}/policy.json`;
  writeFileSync(path, bytes);
  expect(await readPolicyFile(path)).toEqual({ version: 2 });
});

test.each(["null", "2", "[1", ""])("refuses %j, and names the file", async (text) => {
  const path = `${temporaryDirectory()}/policy.json`;
  writeFileSync(path, text);
  await expect(readPolicyFile(path)).rejects.toMatchObject({
    code: "RR_POLICY",
    message: expect.stringContaining(path),
  });
});
