import { describe } from "vitest";
import { zooNames } from "../../packages/model/src/testing/fixtures.js";
import { checkpointOnRanks } from "../support/checkpoint-on-ranks.js";
import { planOnOneThread } from "../support/loaded-model.js";

planOnOneThread();

/** Half of the zoo's causal checkpoints, so that two cores share them; checkpoints-h-to-z.test.ts has the rest. */
describe.each(zooNames("causal").filter((name) => name < "h"))("%s", checkpointOnRanks);
