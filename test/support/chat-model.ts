import { cpSync, writeFileSync } from "node:fs";
import { shakespeareDirectory } from "../../packages/model/src/testing/fixtures.js";
import { suiteDirectory } from "./temporary-directory.js";

/** The directory of the embedded model with a chat template. It is removed when the calling suite ends. */
export function chatModelDirectory(): string {
  const directory = suiteDirectory();
  cpSync(shakespeareDirectory, directory, { recursive: true });
  writeFileSync(
    `${directory}/chat_template.jinja`,
    "{% for message in messages %}{{ message.role | upper }}:\n{{ message.content }}\n\n{% endfor %}ASSISTANT:\n",
  );
  return directory;
}
