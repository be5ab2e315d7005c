import type { RingrankErrorData } from "@ringrank/errors";
import type { ChatMessage, TemplateVariables } from "@ringrank/model";

/** What a chat template renders. */
export interface Conversation {
  readonly messages: readonly ChatMessage[];
  readonly variables: TemplateVariables;
}

/** The characters of its JSON. */
export function charactersOf({ messages, variables }: Conversation): number {
  return JSON.stringify([messages, variables]).length;
}

/**
 * The messages between the process that renders chat templates and the thread that started it, in JSON. The process
 * first announces that it has started, by a message of any kind.
 */
export interface WriteRequest {
  /** The directory of the model, and so of its chat template. */
  readonly directory: string;
  readonly conversation: Conversation;
  /** Processor time after which the process gives up by itself, in case nobody is left to end it. */
  readonly milliseconds: number;
}

export type WriteReply = { readonly text: string } | { readonly error: RingrankErrorData };
