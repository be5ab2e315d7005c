import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";

it("reports that Node was started without WebAssembly, instead of a lack of addresses", () => {
  const ask = `import { sharedMemory } from "@ringrank/webassembly";
    try { sharedMemory(1) } catch ({ code, message }) { console.log(code, message) }`;
  const program = ["--jitless", "--input-type=module", "--eval", ask];
  const said = execFileSync(process.execPath, program, { cwd: import.meta.dirname, encoding: "utf8" });
  expect(said).toMatch(/^RR_OPTION .* --jitless$/m);
});
