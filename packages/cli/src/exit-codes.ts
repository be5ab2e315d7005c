/** The meaning of the command's exit status. Signals have 128 + their number, as in shells. */
export const exitCodes = {
  ok: 0,
  /** The work was started and failed. */
  failed: 1,
  /** The request, or the files it refers to, cannot work: trying again will not help. */
  usage: 2,
  /** Ctrl-C. */
  SIGINT: 130,
  SIGTERM: 143,
} as const;

export const exitCodesHelp = `Exit codes: ${exitCodes.ok} done, ${exitCodes.failed} failed while running, \
${exitCodes.usage} wrong usage or input, ${exitCodes.SIGINT} ended by Ctrl-C, ${exitCodes.SIGTERM} by SIGTERM.`;
