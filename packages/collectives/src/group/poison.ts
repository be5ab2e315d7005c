import { errorCodes, RingrankError, type RingrankErrorData } from "@ringrank/errors";
import type { GroupHandle } from "./group.js";
import { GroupMemory } from "./group-memory.js";
import { messageBytes } from "./layout.js";

/**
 * Fails the group from outside, for a coordinating thread that sees a rank die: every waiting rank and every later call
 * throws `error`. Only the first poison of a group counts. A rank uses `Communicator.poison` instead.
 */
export function poison(handle: GroupHandle, error: RingrankError): void {
  const data = RingrankError.wrap(error, "RR_RANK_FAILED").toData();
  poisonFrom(new GroupMemory(handle), handle.worldSize, data);
}

/** The group's first cause, or undefined if the group has not failed. */
export function poisonCause(handle: GroupHandle): RingrankErrorData | undefined {
  return readPoison(new GroupMemory(handle));
}

/** `slot` is the caller's message slot: its rank, or the world size for the host. */
export function poisonFrom(memory: GroupMemory, slot: number, error: RingrankErrorData): void {
  const { words, bytes, layout } = memory;
  // If this slot has already won, others are reading it.
  if (Atomics.load(words, layout.poison) !== 0) return;
  const text = encode(error);
  const at = layout.message(slot);
  words[at / 4] = text.length;
  bytes.set(text, at + 4);
  Atomics.compareExchange(words, layout.poison, 0, slot + 1);
  for (let rank = 0; rank < memory.worldSize; rank++) Atomics.notify(words, layout.published(rank));
  Atomics.notify(words, layout.gate);
}

export function isPoisoned(memory: GroupMemory): boolean {
  return Atomics.load(memory.words, memory.layout.poison) !== 0;
}

export function readPoison(memory: GroupMemory): RingrankErrorData | undefined {
  const { words, bytes, layout } = memory;
  const winner = Atomics.load(words, layout.poison);
  if (winner === 0) return undefined;
  const at = layout.message(winner - 1);
  return decode(bytes.slice(at + 4, at + 4 + words[at / 4]!));
}

/**
 * Encodes an error as JSON of at most a slot's size. What does not fit is left out: first stacks, then causes, then the
 * end of the message.
 */
function encode(error: RingrankErrorData): Uint8Array {
  const room = messageBytes - 4;
  const { code, message, rank } = error;
  const bare = { code, ...(rank === undefined ? {} : { rank }) };
  const versions: RingrankErrorData[] = [
    error,
    { ...withoutStack(error), ...(error.cause && { cause: withoutStack(error.cause) }) },
    { ...bare, message },
  ];
  for (const version of versions) {
    const text = new TextEncoder().encode(JSON.stringify(version));
    if (text.length <= room) return text;
  }
  // A character takes at most six bytes in JSON: \u0001.
  return new TextEncoder().encode(JSON.stringify({ ...bare, message: message.slice(0, room / 6 - 20) }));
}

function withoutStack<T extends { readonly stack?: string }>(error: T): Omit<T, "stack"> {
  const { stack: _, ...rest } = error;
  return rest;
}

function decode(text: Uint8Array): RingrankErrorData {
  const data: unknown = JSON.parse(new TextDecoder().decode(text));
  if (!isErrorData(data)) {
    return new RingrankError("RR_RANK_FAILED", "the group failed with a cause that is not an error").toData();
  }
  return data;
}

function isErrorData(data: unknown): data is RingrankErrorData {
  if (typeof data !== "object" || data === null) return false;
  const { code, message } = data as { code?: unknown; message?: unknown };
  return typeof code === "string" && Object.hasOwn(errorCodes, code) && typeof message === "string";
}
