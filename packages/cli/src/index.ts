import { fileURLToPath } from "node:url";

/** Directory of the embedded model: a 5.8M-parameter Llama of Shakespeare's works, an ordinary checkpoint. */
export const demoModel: string = fileURLToPath(new URL("../models/shakespeare-llama", import.meta.url));
