// Asks a studio by OpenAI's own client and by the AI SDK, on which many chat front ends are built.
// Environment: URL, KEY, MODEL (a base that reads chats), CAPTIONER, CLIP (a data: address). Prints one JSON line.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, streamText } from "ai";
import OpenAI from "openai";

const { URL: baseURL, KEY: apiKey, MODEL: model, CAPTIONER: captioner, CLIP: clip } = process.env;
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const shown = { role: "user", content: [{ type: "text", text: "What moves?" }, { type: "video_url", video_url: { url: clip } }] };
const chat = [shown, { role: "assistant", content: "A disc." }, { role: "user", content: "And its colour?" }];
const found = {};

const whole = await client.chat.completions.create({ model, messages: chat, max_tokens: 7 });
found.whole = { reason: whole.choices[0].finish_reason, text: whole.choices[0].message.content, usage: whole.usage };

const stream = await client.chat.completions.create({ model, messages: chat, max_tokens: 7, stream: true, stream_options: { include_usage: true } });
found.stream = { text: "", reasons: [], usages: [], without_choices: 0 };
for await (const chunk of stream) {
  if (!chunk.choices.length) found.stream.without_choices += 1;
  found.stream.text += chunk.choices[0]?.delta.content ?? "";
  if (chunk.choices[0]?.finish_reason) found.stream.reasons.push(chunk.choices[0].finish_reason);
  if (chunk.usage) found.stream.usages.push(chunk.usage);
}

found.refusals = [];
for (const extra of [{ tools: [{ type: "function", function: { name: "f" } }], tool_choice: "required" }, { response_format: { type: "json_object" } }, { max_tokens: 0 }]) {
  try {
    await client.chat.completions.create({ model: captioner, messages: [shown], ...extra });
    found.refusals.push("taken");
  } catch (error) {
    found.refusals.push([error.status, error.param]);
  }
}

// A client that leaves: its place must be free at once.
for (let turn = 0; turn < 10; turn++) {
  const dropped = await client.chat.completions.create({ model: captioner, messages: [shown], stream: true });
  for await (const _ of dropped) break;
}
found.after_dropped = (await client.chat.completions.create({ model: captioner, messages: [shown] })).choices[0].finish_reason;

const frontEnd = createOpenAICompatible({ name: "loreel", baseURL, apiKey, includeUsage: true })(model);
const picture = process.env.PICTURE;
const messages = [{ role: "user", content: [{ type: "text", text: "What moves?" }, ...[1, 2].map(() => ({ type: "file", mediaType: "image/png", data: picture }))] }];
const generated = await generateText({ model: frontEnd, messages, maxOutputTokens: 5, temperature: 0.5, seed: 3, maxRetries: 0 });
found.frontEnd = { text: generated.text, reason: generated.finishReason, usage: generated.usage };
const streamed = streamText({ model: frontEnd, messages, maxOutputTokens: 5, temperature: 0.5, seed: 3, maxRetries: 0 });
found.frontEndStream = { text: await streamed.text, reason: await streamed.finishReason, usage: await streamed.usage };
console.log(JSON.stringify(found));
