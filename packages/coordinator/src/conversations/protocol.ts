import type { RingrankErrorData } from "@ringrank/errors";
import type { ChatMessage } from "@ringrank/model";

/**
 * What crosses between the process that renders chat templates and the thread that started it. JSON. The process first
 * says that it has begun, by a message of any kind.
 */
export interface WriteRequest {
  /** Of the model, and so of its chat template. */
  readonly directory: string;
  readonly messages: readonly ChatMessage[];
  /** After which the process gives up by itself, should nobody be left to end it. */
  readonly milliseconds: number;
}

export type WriteReply = { readonly text: string } | { readonly error: RingrankErrorData };
