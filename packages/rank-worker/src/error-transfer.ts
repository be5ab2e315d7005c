/**
 * Transfers errors across the control plane. comlink by itself loses `code`, `rank` and `cause`. With this handler on
 * both sides, in place of comlink's own for thrown values, a RingrankError arrives as a RingrankError.
 */
import { isRingrankError, messageOf, RingrankError, type RingrankErrorData } from "@ringrank/errors";

/** comlink's type, whose own declarations use those of browsers. */
interface TransferHandler<Value, Data> {
  canHandle(value: unknown): value is Value;
  serialize(value: Value): [data: Data, transferred: unknown[]];
  deserialize(data: Data): Value;
}

/** comlink's wrapper around a thrown value. */
interface Thrown {
  readonly value: unknown;
}

type ThrownData =
  | { readonly kind: "ringrank"; readonly data: RingrankErrorData }
  | { readonly kind: "other"; readonly message: string; readonly stack?: string };

/**
 * Idempotent; call it on each thread before any message passes.
 *
 * @param handlers `transferHandlers` of the caller's own comlink
 */
export function installErrorTransferHandler(handlers: Map<string, TransferHandler<unknown, unknown>>): void {
  const own = handlers.get("throw");
  const handler: TransferHandler<Thrown, ThrownData> = {
    // comlink marks thrown values with a private symbol, so only its own check recognizes them.
    canHandle: (value): value is Thrown => own?.canHandle(value) ?? false,
    serialize: ({ value }) => [toData(value), []],
    deserialize: (data) => {
      throw fromData(data);
    },
  };
  handlers.set("throw", handler as TransferHandler<unknown, unknown>);
}

function toData(value: unknown): ThrownData {
  if (isRingrankError(value)) return { kind: "ringrank", data: value.toData() };
  if (!(value instanceof Error)) return { kind: "other", message: messageOf(value) };
  return {
    kind: "other",
    message: value.message,
    ...(value.stack === undefined ? {} : { stack: value.stack }),
  };
}

function fromData(data: ThrownData): Error {
  if (data.kind === "ringrank") return RingrankError.fromData(data.data);
  const error = new Error(data.message);
  if (data.stack !== undefined) error.stack = data.stack;
  return error;
}
