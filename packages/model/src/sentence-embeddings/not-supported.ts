/** Something that a checkpoint's modules ask for is not supported; the message names it. */
export class NotSupported extends Error {}
