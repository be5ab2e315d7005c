import { expect, test } from "vitest";
import { inheritedExecArgv } from "./inherited-exec-argv.js";

test("a worker inherits all of Node's options but how to read --eval", () => {
  const options = ["--import", "tsx", "--input-type=module", "--input-type", "commonjs", "--expose-gc"];
  expect(inheritedExecArgv(options)).toEqual(["--import", "tsx", "--expose-gc"]);
});

test("where there is nothing to leave out, a worker inherits flags of the engine, too, which it refuses to be given", () => {
  expect(inheritedExecArgv(["--import", "tsx", "--stack-size=2000"])).toBeUndefined();
});
