// Loads the model of argv[2] on three ranks and ends the process in the way of argv[3].
import { loadModel } from "@ringrank/coordinator";

const [directory, way] = process.argv.slice(2);

const model = await loadModel(directory, {
  ranks: 3,
  onProgress: ({ phase }) => {
    if (way === `exit in ${phase}`) process.exit(7);
  },
});
let tokens = 0;
for await (const _ of model.generate("ROMEO:", { ignoreEos: true, maxNewTokens: 400 })) {
  tokens++;
  if (tokens !== 5) continue;
  if (way === "exit in generation") process.exit(7);
  // A timer strikes while a step is running, the loop's body between two.
  if (way === "exit in a step") setTimeout(() => process.exit(7), 1);
  if (way === "throw in generation") setTimeout(() => throwUncaught(), 1);
  if (way === "close") break;
}
await model.close();
process.stdout.write("closed");

function throwUncaught() {
  throw new Error("nobody catches this");
}
