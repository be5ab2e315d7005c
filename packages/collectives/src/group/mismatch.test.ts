import type { Communicator } from "@ringrank/collectives";
import { runRanks } from "@ringrank/collectives";
import { describe, expect, it } from "vitest";
import { type CaughtError, catchingTask } from "../testing/inline-task.js";

type Call = (comm: Communicator) => unknown;

/** Runs `call` on some ranks, where rank 1's differs; all must get one error, now and in the next call. */
async function errorOfAll(call: Call, worldSize = 3): Promise<CaughtError> {
  const caught = await runRanks<[CaughtError, CaughtError]>(worldSize, catchingTask(call), undefined);
  const [[error]] = caught as [[CaughtError, CaughtError]];
  expect(caught).toEqual(new Array(worldSize).fill([error, error]));
  return error;
}

/** Calls; the message for three ranks; and the message for two ranks, whose headers a kernel compares. */
const shortReductions: readonly [string, Call, string, string][] = [
  [
    "lengths",
    (comm) => comm.allReduce(new Float32Array(comm.rank === 1 ? 7 : 8)),
    "ranks 0, 2 called allReduce(float32[8], sum) by one-shot; rank 1 called allReduce(float32[7], sum) by one-shot",
    "rank 0 called allReduce(float32[8], sum) by one-shot; rank 1 called allReduce(float32[7], sum) by one-shot",
  ],
  [
    "operations",
    (comm) => comm.allReduce(new Float32Array(8), comm.rank === 1 ? "max" : "sum"),
    "rank 1 called allReduce(float32[8], max)",
    "rank 1 called allReduce(float32[8], max)",
  ],
  [
    "collectives",
    (comm) => (comm.rank === 1 ? comm.barrier() : comm.allReduce(new Float32Array(8))),
    "rank 1 called barrier()",
    "rank 1 called barrier()",
  ],
];

it("finds different lengths in the first window, if a message takes several", async () => {
  const task = catchingTask((comm) => comm.allReduce(new Float32Array(comm.rank === 1 ? 100 : 130)));
  const options = { windowBytes: 256, algorithm: "one-shot", stepTimeoutMs: 2000 } as const;
  const [[error]] = (await runRanks<[CaughtError]>(3, task, undefined, options)) as [[CaughtError]];
  expect(error.code).toBe("RR_MISMATCH");
  expect(error.message).toContain("rank 1 called allReduce(float32[100], sum) by one-shot");
});

describe("ranks with different calls all get RR_MISMATCH, which says who called what:", () => {
  const cases: [string, Call, string][] = [
    ...shortReductions.map(([what, call, text]): [string, Call, string] => [what, call, text]),
    [
      "lengths with other algorithms and numbers of windows",
      (comm) => comm.allReduce(new Float32Array(comm.rank === 1 ? 2_000_000 : 8)),
      "rank 1 called allReduce(float32[2000000], sum) by ring",
    ],
    [
      "element types",
      (comm) => comm.allReduce(comm.rank === 1 ? new Int32Array(8) : new Float32Array(8)),
      "rank 1 called allReduce(int32[8], sum)",
    ],
    [
      "roots",
      (comm) => comm.broadcast(new Float32Array(8), comm.rank === 1 ? 1 : 0),
      "rank 1 called broadcast(float32[8], root 1)",
    ],
    [
      "counts",
      (comm) => comm.reduceScatter(new Float32Array(6), { counts: comm.rank === 1 ? [2, 3, 1] : [2, 2, 2] }),
      "rank 1 called reduceScatter(float32[6], sum, counts 2+3+1)",
    ],
    [
      "counts of parts to gather, on only one rank",
      (comm) => {
        const counts = comm.rank === 1 ? [3, 2, 2] : [2, 2, 2];
        return comm.allGather(new Float32Array(2), { counts });
      },
      "rank 1 called allGather(float32, counts 3+2+2)",
    ],
    [
      "parts to gather, without counts",
      (comm) => comm.allGather(new Float32Array(comm.rank === 1 ? 3 : 2)),
      "rank 1 called allGather(float32[3])",
    ],
    [
      "a part and its count",
      (comm) => comm.allGather(new Float32Array(comm.rank === 1 ? 3 : 2), { counts: [2, 2, 2] }),
      "rank 1 called allGather with 3 elements, but its count is 2",
    ],
  ];
  it.each(cases)("different %s", async (_, call, text) => {
    const error = await errorOfAll(call);
    expect(error.code).toBe("RR_MISMATCH");
    expect(error.message).toContain(text);
  });
});

it.each(shortReductions)(
  "two ranks that reduce a short message also get RR_MISMATCH for different %s",
  async (_, call, _ofThree, text) => {
    const error = await errorOfAll(call, 2);
    expect(error.code).toBe("RR_MISMATCH");
    // Neither can know which of the two is wrong.
    expect(error.rank).toBeUndefined();
    expect(error.message).toContain(text);
  },
);

describe("an argument that one rank can recognize as invalid is an error on every rank, with the rank at fault:", () => {
  const cases: [string, string, Call][] = [
    [
      "a Float64Array",
      "RR_TYPE",
      (comm) => comm.allReduce(comm.rank === 1 ? (new Float64Array(8) as never) : new Float32Array(8)),
    ],
    [
      "a plain array",
      "RR_TYPE",
      (comm) => comm.broadcast(comm.rank === 1 ? ([1] as never) : new Int32Array(1)),
    ],
    [
      "a root outside the world",
      "RR_OPTION",
      (comm) => comm.broadcast(new Int32Array(1), comm.rank === 1 ? 3 : 0),
    ],
    [
      "an unknown operation",
      "RR_OPTION",
      (comm) => comm.allReduce(new Float32Array(8), comm.rank === 1 ? ("mean" as never) : "sum"),
    ],
    [
      "an option of another name",
      "RR_OPTION",
      (comm) => comm.reduceScatter(new Float32Array(6), (comm.rank === 1 ? { op: "max" } : {}) as object),
    ],
    [
      "an operation where options belong",
      "RR_OPTION",
      (comm) => comm.reduceScatter(new Float32Array(6), comm.rank === 1 ? ("max" as never) : {}),
    ],
    [
      "counts where options belong",
      "RR_OPTION",
      (comm) => comm.allGather(new Float32Array(2), comm.rank === 1 ? ([2, 2, 2] as never) : {}),
    ],
    [
      "an out of another length",
      "RR_SHAPE",
      (comm) => comm.allGather(new Float32Array(2), { out: new Float32Array(comm.rank === 1 ? 5 : 6) }),
    ],
    [
      "an out of another type",
      "RR_TYPE",
      (comm) =>
        comm.allGather(new Float32Array(2), comm.rank === 1 ? { out: new Int32Array(6) as never } : {}),
    ],
    [
      "counts that do not add up",
      "RR_SHAPE",
      (comm) => comm.reduceScatter(new Float32Array(6), { counts: comm.rank === 1 ? [2, 2, 3] : [2, 2, 2] }),
    ],
    [
      "a negative count",
      "RR_SHAPE",
      (comm) => comm.reduceScatter(new Float32Array(6), { counts: comm.rank === 1 ? [7, -3, 2] : [2, 2, 2] }),
    ],
  ];
  it.each(cases)("%s is %s", async (_, code, call) => {
    expect(await errorOfAll(call)).toMatchObject({ code, rank: 1 });
  });
});
