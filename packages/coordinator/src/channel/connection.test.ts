import { once } from "node:events";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { RingrankError } from "@ringrank/errors";
import { portEndpoint } from "@ringrank/rank-worker/comlink";
import comlink from "comlink";
import { afterEach, beforeEach, expect, it } from "vitest";
import { gate } from "../testing/fake-rank-group.js";
import { Connection } from "./connection.js";

let held = gate();
const service = {
  double: (value: number) => 2 * value,
  wait: () => held.opened,
  fail: () => {
    throw new RingrankError("RR_MEMORY", "too small", { rank: 3, cause: new Error("no room") });
  },
  failElsewhere: () => {
    throw new TypeError("not a config", { cause: new RingrankError("RR_CONFIG", "no size") });
  },
};
let channel: MessageChannel;
let connection: Connection<typeof service>;

beforeEach(() => {
  held = gate();
  channel = new MessageChannel();
  connection = new Connection(channel.port1);
  comlink.expose(service, portEndpoint(channel.port2));
});
afterEach(() => channel.port2.close());

it("calls a service on the other side", async () => {
  expect(await connection.call((remote) => remote.double(21))).toBe(42);
});

it("carries an error's code, rank and cause", async () => {
  await expect(connection.call((remote) => remote.fail())).rejects.toMatchObject({
    code: "RR_MEMORY",
    rank: 3,
    cause: { message: "no room" },
  });
});

it("carries the cause of an error without a code, too", async () => {
  await expect(connection.call((remote) => remote.failElsewhere())).rejects.toMatchObject({
    message: "not a config",
    cause: { code: "RR_CONFIG", message: "no size" },
  });
});

it("rejects the waiting calls, and every later one, with the reason for closing", async () => {
  const waiting = connection.call((remote) => remote.wait());
  connection.close("gone");
  connection.close("again");
  await expect(waiting).rejects.toBe("gone");
  await expect(connection.call((remote) => remote.double(1))).rejects.toBe("gone");
});

it("keeps the process alive only while a call is waiting", async () => {
  const port = channel.port1 as MessagePort & { hasRef(): boolean };
  expect(port.hasRef()).toBe(false);
  const waiting = connection.call((remote) => remote.wait());
  await connection.call((remote) => remote.double(1));
  await expect(connection.call((remote) => remote.fail())).rejects.toThrow();
  expect(port.hasRef()).toBe(true);
  held.open();
  await waiting;
  expect(port.hasRef()).toBe(false);
});

it("keeps nothing of a call that was never answered", async () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage: () => void = runInNewContext("gc");
  const caller = unansweredCaller();
  const isKept = (): boolean => {
    collectGarbage();
    return caller.deref() !== undefined;
  };
  await expect.poll(isKept).toBe(false);
});

it("tells the other side that it is closed", async () => {
  const closed = once(channel.port2, "close");
  connection.close("gone");
  await closed;
});

/** The only reference to an unanswered call, on a connection that has been closed. */
function unansweredCaller(): WeakRef<object> {
  const connection = new Connection<typeof service>(new MessageChannel().port1);
  const caller = {};
  connection.call((remote) => remote.wait().finally(() => caller)).catch(() => {});
  connection.close("gone");
  return new WeakRef(caller);
}
