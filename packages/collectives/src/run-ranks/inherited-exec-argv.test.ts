import { expect, test } from "vitest";
import { inheritedExecArgv } from "./inherited-exec-argv.js";

test("a worker inherits all of Node's options except those for reading --eval", () => {
  const options = ["--import", "tsx", "--input-type=module", "--input-type", "commonjs", "--no-warnings"];
  expect(inheritedExecArgv(options)).toEqual(["--import", "tsx", "--no-warnings"]);
});

test("a worker inherits engine flags implicitly if nothing must be left out, since it cannot be given them", () => {
  expect(inheritedExecArgv(["--import", "tsx", "--stack-size=2000"])).toBeUndefined();
});

test("a worker is not given flags for the whole process if something must be left out", () => {
  const options = ["--stack-size=2000", "--input-type=module", "--import", "tsx", "--expose-gc", "--title=x"];
  expect(inheritedExecArgv(options)).toEqual(["--import", "tsx"]);
});
