import { utimesSync } from "node:fs";
import { join } from "node:path";
import { buildGraph, openCheckpoint, writeOnnx } from "@ringrank/model";
import { expect, it } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { zooDirectory } from "../../../model/src/testing/fixtures.js";
import { PlanningDesk } from "./planning-desk.js";

it.each(["model.onnx", "model.onnx_data"])(
  "notices that %s changes while its export is planned",
  async (name) => {
    const directory = temporaryDirectory();
    await writeOnnx(buildGraph(openCheckpoint(zooDirectory("bert"))).graph, directory);
    const desk = new PlanningDesk();
    const request = { ranks: 1, objective: "memory", precision: "float32" } as const;
    desk.plan({
      ...request,
      pathOrId: join(directory, "model.onnx"),
      memoryPerRank: undefined,
      activations: undefined,
      policy: undefined,
    });
    const { files } = desk.prepare();
    expect(files.map(({ path }) => path)).toContain(join(directory, name));
    utimesSync(join(directory, name), 1, 1);
    expect(expectCode("RR_FILE_FORMAT", () => desk.prepare()).message).toContain(name);
  },
);
