import { MessageChannel } from "node:worker_threads";
import comlink from "comlink";
import { expect, it } from "vitest";
import { portEndpoint } from "./port-endpoint.js";

it("creates no event for a message, for whose class Node would load its implementation of fetch", async () => {
  const { port1, port2 } = new MessageChannel();
  const received = new Promise((resolve) => {
    portEndpoint(port1).addEventListener("message", resolve);
  });
  port2.postMessage("hello");
  const message = await received;
  expect(message).toEqual({ data: "hello" });
  expect(message).not.toBeInstanceOf(Event);
  port1.close();
});

it("passes calls, their results and what is transferred", async () => {
  const { port1, port2 } = new MessageChannel();
  comlink.expose({ sizeOf: (bytes: Uint8Array) => bytes.length }, portEndpoint(port1));
  const remote = comlink.wrap<{ sizeOf(bytes: Uint8Array): number }>(portEndpoint(port2));
  const bytes = new Uint8Array(3);
  expect(await remote.sizeOf(comlink.transfer(bytes, [bytes.buffer]))).toBe(3);
  expect(bytes).toHaveLength(0);
  port1.close();
});
