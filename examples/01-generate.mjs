// Generate text from a model on two ranks, with the library.
//
//   node examples/01-generate.mjs ["prompt"]
//
// Each rank is a thread with half of the weights. The split is derived from the model itself: see 04.
import { loadModel } from "@ringrank/coordinator";
import { demoModel } from "ringrank";

const prompt = process.argv[2] ?? "ROMEO:\n";

// The embedded model. Any HuggingFace directory works too, and so does an id in the local cache.
const model = await loadModel(demoModel, { ranks: 2 });
try {
  // Print each token as it arrives. Leaving the loop would end the generation.
  process.stdout.write(prompt);
  for await (const token of model.generate(prompt, { maxNewTokens: 60, seed: 1 })) {
    process.stdout.write(token.text);
  }

  // Concurrent generations share the decode steps, and each gives the same text as it would alone.
  const prompts = ["JULIET:\n", "KING LEAR:\n"];
  const results = await Promise.all(
    prompts.map((text) => model.generate(text, { maxNewTokens: 20, temperature: 0 }).result),
  );
  for (const [i, { text, usage }] of results.entries()) {
    console.log(`\n\n${prompts[i]}${text}\n[${usage.completionTokens} tokens]`);
  }

  // One forward pass over given tokens, without generating: the logits of every position.
  const { logits } = await model.run({ input_ids: [[5, 6, 7]] });
  console.log(`\nlogits: ${logits.type} [${logits.dims}]`);

  for (const [rank, { bytesInMemory }] of model.memory().entries()) {
    console.log(`rank ${rank} holds ${bytesInMemory} bytes of weights`);
  }
} finally {
  await model.close();
}
