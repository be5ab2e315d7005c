import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";

it("says so where Node was started without WebAssembly, in place of too few addresses", () => {
  const ask = `import { sharedMemory } from "@ringrank/webassembly";
    try { sharedMemory(1) } catch ({ code, message }) { console.log(code, message) }`;
  const program = ["--jitless", "--input-type=module", "--eval", ask];
  const said = execFileSync(process.execPath, program, { cwd: import.meta.dirname, encoding: "utf8" });
  expect(said).toMatch(/^RR_OPTION .* --jitless$/m);
});
