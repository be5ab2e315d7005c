// Opens the model of argv[2], and says so if the process still runs after a moment for which nothing else keeps it.
import { loadModel } from "@ringrank/coordinator";

const model = await loadModel(process.argv[2], { ranks: 2 });
process.on("message", () => model.close());
process.channel.unref();
// This timer keeps nobody alive: a process that only waits for it ends at once.
setTimeout(() => process.send("still here"), 100).unref();
