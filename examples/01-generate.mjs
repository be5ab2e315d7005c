// Text from a model on two ranks, as a library.
//
//   node examples/01-generate.mjs ["prompt"]
//
// Each rank is a thread with half of the weights. Who holds what, nobody wrote down: see 04.
import { loadModel } from "@ringrank/coordinator";
import { demoModel } from "ringrank";

const prompt = process.argv[2] ?? "ROMEO:\n";

// The embedded model; any HuggingFace directory would do, or an id that the local cache has.
const model = await loadModel(demoModel, { ranks: 2 });
try {
  // Token by token, as they come. Leaving the loop would end the generation.
  process.stdout.write(prompt);
  for await (const token of model.generate(prompt, { maxNewTokens: 60, seed: 1 })) {
    process.stdout.write(token.text);
  }

  // Several at once share the decode steps; each gives what it would have given alone.
  const prompts = ["JULIET:\n", "KING LEAR:\n"];
  const results = await Promise.all(
    prompts.map((text) => model.generate(text, { maxNewTokens: 20, temperature: 0 }).result),
  );
  for (const [i, { text, usage }] of results.entries()) {
    console.log(`\n\n${prompts[i]}${text}\n[${usage.completionTokens} tokens]`);
  }

  // One pass over given tokens, without generating: logits of every position.
  const { logits } = await model.run({ input_ids: [[5, 6, 7]] });
  console.log(`\nlogits: ${logits.type} [${logits.dims}]`);

  for (const [rank, { bytesKept }] of model.memory().entries()) {
    console.log(`rank ${rank} holds ${bytesKept} bytes of weights`);
  }
} finally {
  await model.close();
}
