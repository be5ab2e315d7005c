import { expect, test } from "vitest";
import { inheritedExecArgv } from "./inherited-exec-argv.js";

test("a worker inherits all of Node's options but how to read --eval", () => {
  const options = ["--import", "tsx", "--input-type=module", "--input-type", "commonjs", "--no-warnings"];
  expect(inheritedExecArgv(options)).toEqual(["--import", "tsx", "--no-warnings"]);
});

test("where there is nothing to leave out, a worker inherits flags of the engine, too, which it refuses to be given", () => {
  expect(inheritedExecArgv(["--import", "tsx", "--stack-size=2000"])).toBeUndefined();
});

test("where there is, it is not given flags that hold for the whole process", () => {
  const options = ["--stack-size=2000", "--input-type=module", "--import", "tsx", "--expose-gc", "--title=x"];
  expect(inheritedExecArgv(options)).toEqual(["--import", "tsx"]);
});
