// Sends files with tus, a few at a time; a lost line is tried again from the last byte that arrived.
import { Upload, type DetailedError } from "tus-js-client";
import type { Picked } from "./pick";

export type ItemState = "waiting" | "sending" | "done" | "failed";
export type Item = { id: number; path: string; file: File; sent: number; state: ItemState; problem: string };

const AT_ONCE = 3;
const CHUNK_BYTES = 64 * 1024 * 1024;
const RETRY_MS = [0, 1000, 3000, 5000, 10000];
const SPEED_WINDOW_MS = 4000;

export class Sender {
  items: Item[] = [];
  paused = false;
  started = false;
  private live = new Map<number, Upload>();
  private target: Record<string, string> = {};
  private nextId = 1;
  private marks: { at: number; sent: number }[] = [];

  constructor(
    private endpoint: string,
    private onChange: () => void,
    private onAllDone: () => void,
  ) {}

  add(picked: Picked[]) {
    const known = new Set(this.items.map((item) => `${item.path}:${item.file.size}`));
    for (const { path, file } of picked) {
      if (known.has(`${path}:${file.size}`)) continue;
      const problem = file.size === 0 ? "This file is empty." : "";
      this.items.push({ id: this.nextId++, path, file, sent: 0, state: problem ? "failed" : "waiting", problem });
    }
    this.onChange();
    if (this.started) this.next();
  }

  remove(id: number) {
    this.drop(id);
    this.items = this.items.filter((item) => item.id !== id);
    this.onChange();
    this.settle();
  }

  start(target: Record<string, string>) {
    this.target = target;
    this.started = true;
    this.paused = false;
    this.next();
  }

  pause() {
    this.paused = true;
    for (const [id, upload] of this.live) {
      void upload.abort();
      this.item(id).state = "waiting";
    }
    this.live.clear();
    this.onChange();
  }

  resume() {
    this.paused = false;
    this.marks = [];
    this.next();
  }

  retry(id: number) {
    const item = this.item(id);
    if (item.file.size === 0) return;
    item.state = "waiting";
    item.problem = "";
    this.next();
  }

  clear() {
    for (const id of [...this.live.keys()]) this.drop(id);
    this.items = [];
    this.started = false;
    this.paused = false;
    this.marks = [];
    this.onChange();
  }

  get total() {
    return this.items.reduce((sum, item) => sum + item.file.size, 0);
  }

  get sent() {
    return this.items.reduce((sum, item) => sum + item.sent, 0);
  }

  /** Bytes a second over the last seconds. */
  get speed() {
    const now = performance.now();
    this.marks.push({ at: now, sent: this.sent });
    while (this.marks.length > 2 && now - this.marks[0].at > SPEED_WINDOW_MS) this.marks.shift();
    const first = this.marks[0];
    return now - first.at < 300 ? 0 : Math.max(0, ((this.sent - first.sent) / (now - first.at)) * 1000);
  }

  private item(id: number): Item {
    return this.items.find((item) => item.id === id) as Item;
  }

  private drop(id: number) {
    void this.live.get(id)?.abort(true);
    this.live.delete(id);
  }

  private next() {
    this.onChange();
    if (this.paused || !this.started) return;
    for (const item of this.items) {
      if (this.live.size >= AT_ONCE) break;
      if (item.state === "waiting") void this.send(item);
    }
    this.settle();
  }

  private settle() {
    const good = this.items.filter((item) => item.state === "done").length;
    if (this.started && good > 0 && good === this.items.length) {
      this.started = false;
      this.onAllDone();
    }
  }

  private async send(item: Item) {
    item.state = "sending";
    const upload = new Upload(item.file, {
      endpoint: this.endpoint,
      chunkSize: CHUNK_BYTES,
      retryDelays: RETRY_MS,
      metadata: { filename: item.path, filetype: item.file.type, ...this.target },
      removeFingerprintOnSuccess: true,
      onShouldRetry: (error) => {
        const status = (error as DetailedError).originalResponse?.getStatus() ?? 0;
        return status === 0 || status === 409 || status === 423 || status >= 500;
      },
      onProgress: (sent) => {
        item.sent = sent;
        this.onChange();
      },
      onSuccess: () => {
        this.live.delete(item.id);
        item.sent = item.file.size;
        item.state = "done";
        this.next();
      },
      onError: (error) => {
        this.live.delete(item.id);
        item.state = "failed";
        item.problem = sentence(error as DetailedError);
        this.next();
      },
    });
    this.live.set(item.id, upload);
    const earlier = (await upload.findPreviousUploads()).find((found) =>
      Object.entries(this.target).every(([key, value]) => found.metadata[key] === value),
    );
    if (earlier) upload.resumeFromPreviousUpload(earlier);
    if (this.live.has(item.id)) upload.start();
  }
}

function sentence(error: DetailedError): string {
  try {
    const told = JSON.parse(error.originalResponse?.getBody() ?? "") as { detail?: string };
    if (told.detail) return told.detail;
  } catch {
    // No words of ours in the answer: say it below.
  }
  const status = error.originalResponse?.getStatus();
  if (!status) return "The connection was lost. Check it, then try again.";
  return status === 413 ? "This file is too large for this server." : `The server refused it (${status}). Try again.`;
}
