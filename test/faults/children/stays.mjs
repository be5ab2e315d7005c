// Opens the model of argv[2], and answers its parent over a channel that keeps nobody alive.
import { loadModel } from "@ringrank/coordinator";

const model = await loadModel(process.argv[2], { ranks: 2 });
process.on("message", (message) => {
  if (message === "close") model.close();
  else process.send("still here");
});
process.channel.unref();
process.send("open");
