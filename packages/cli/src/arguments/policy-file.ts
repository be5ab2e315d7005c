import { readFile } from "node:fs/promises";
import { RingrankError } from "@ringrank/coordinator";

/**
 * A policy written by `ringrank plan --json`. Its contents are checked later, against its graph.
 *
 * @throws RR_OPTION for an empty path; RR_POLICY: no such file, or not a JSON object
 */
export async function readPolicyFile(path: string): Promise<object> {
  if (path === "") throw new RingrankError("RR_OPTION", 'policy: expected the path of a file, got ""');
  const explain = (problem: string, cause?: unknown): RingrankError =>
    new RingrankError(
      "RR_POLICY",
      `${path}: expected the output of ringrank plan --json, but ${problem}`,
      cause === undefined ? {} : { cause },
    );
  let policy: unknown;
  try {
    policy = JSON.parse(textOf(await readFile(path)));
  } catch (error) {
    throw explain((error as Error).message, error);
  }
  if (typeof policy !== "object" || policy === null) throw explain("it contains no JSON object");
  return policy;
}

/** In UTF-8, or in UTF-16 with a byte order mark, as Windows PowerShell writes redirected output. */
function textOf(bytes: Uint8Array): string {
  const isUtf16 = bytes[0] === 0xff && bytes[1] === 0xfe;
  return new TextDecoder(isUtf16 ? "utf-16le" : "utf-8").decode(bytes);
}
