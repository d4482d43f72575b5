// Sends files with tus, a few at a time; a lost line, a pause or a reload costs nothing of what has arrived.
import { Upload, type DetailedError } from "tus-js-client";
import type { Picked } from "./pick";

export type ItemState = "waiting" | "sending" | "done" | "failed";
export type Item = {
  id: number;
  path: string;
  file: File;
  sent: number;
  state: ItemState;
  problem: string;
  /** Where the server keeps it, once it has begun. */
  url: string;
};
/** A file that the server has, whole or in part, from before this page was opened. */
export type Earlier = { id: string; filename: string; length: number; offset: number; complete: boolean };
type Target = Record<string, string>;

const AT_ONCE = 3;
const CHUNK_BYTES = 64 * 1024 * 1024;
const RETRY_MS = [0, 1000, 3000, 5000, 10000];
const SPEED_WINDOW_MS = 4000;

export class Sender {
  items: Item[] = [];
  paused = false;
  started = false;
  /** What the server has of this target and nobody has chosen here. */
  earlier: Earlier[] = [];
  /** The server was asked what it has. */
  recalled = false;
  private live = new Map<number, Upload>();
  private target: Target = {};
  private nextId = 1;
  private marks: { at: number; sent: number }[] = [];
  private finishing = false;

  constructor(
    private endpoint: string,
    private onChange: () => void,
    private onAllDone: (count: number) => void,
  ) {}

  add(picked: Picked[]) {
    const known = new Set(this.items.map((item) => `${item.path}:${item.file.size}`));
    for (const { path, file } of picked) {
      if (known.has(`${path}:${file.size}`)) continue;
      const problem = file.size === 0 ? "This file is empty." : "";
      const state = problem ? "failed" : "waiting";
      this.items.push({ id: this.nextId++, path, file, sent: 0, state, problem, url: "" });
    }
    this.onChange();
    if (this.started) {
      this.meet();
      this.next();
    }
  }

  /** Takes files out of the choice, and what has arrived of them off the server. */
  async remove(leaving: (item: Item) => boolean) {
    const gone = this.items.filter(leaving);
    this.items = this.items.filter((item) => !gone.includes(item));
    this.onChange();
    await Promise.all(gone.map((item) => this.forget(item)));
    this.next();
  }

  /** Asks the server what it has of an earlier try. */
  async recall(target: Target) {
    this.target = target;
    try {
      const answer = await fetch(`${this.endpoint}?${new URLSearchParams(target)}`);
      const held = answer.ok ? ((await answer.json()) as { items: Earlier[] }).items : [];
      const ours = new Set(this.items.map((item) => item.url));
      this.earlier = held.filter((known) => !ours.has(this.place(known)));
    } catch {
      this.earlier = []; // no line: sending will say so
    }
    this.recalled = true;
    this.onChange();
  }

  async start(target: Target) {
    this.started = true;
    this.paused = false;
    await this.recall(target);
    this.meet();
    this.next();
  }

  /** Drops what the server has in part only and nobody has chosen here; then all is in, if nothing else is waited for. */
  async leaveOutEarlier() {
    const parts = this.earlier.filter((known) => !known.complete);
    await Promise.all(parts.map((known) => end(this.place(known))));
    this.earlier = this.earlier.filter((known) => known.complete);
    this.started ||= this.items.length === 0;
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
    void this.start(this.target);
  }

  retry(id: number) {
    const item = this.item(id);
    if (item.file.size === 0) return;
    item.state = "waiting";
    item.problem = "";
    void this.start(this.target);
  }

  /** Whoever calls this has the server forget what arrived. */
  clear() {
    for (const upload of this.live.values()) void upload.abort(true);
    this.live.clear();
    this.items = [];
    this.earlier = [];
    this.recalled = false;
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

  private place(known: Earlier) {
    return `${this.endpoint}/${known.id}`;
  }

  /** Chosen files that the server has already, whole or in part, are gone on with: the same path and size. */
  private meet() {
    const held = new Map(this.earlier.map((known) => [`${known.filename}:${known.length}`, known]));
    for (const item of this.items) {
      const known = held.get(`${plain(item.path)}:${item.file.size}`);
      if (!known || item.url || item.state !== "waiting") continue;
      item.url = this.place(known);
      item.sent = known.offset;
      if (known.complete) item.state = "done";
    }
    const met = new Set(this.items.map((item) => item.url));
    this.earlier = this.earlier.filter((known) => !met.has(this.place(known)));
    this.marks = [];
  }

  private async forget(item: Item) {
    const upload = this.live.get(item.id);
    this.live.delete(item.id);
    await upload?.abort();
    if (item.url) await end(item.url);
  }

  private next() {
    this.onChange();
    if (this.paused || !this.started) return;
    for (const item of this.items) {
      if (this.live.size >= AT_ONCE) break;
      if (item.state === "waiting") this.send(item);
    }
    this.settle();
  }

  private settle() {
    const waits = this.items.some((item) => item.state !== "done") || this.earlier.some((known) => !known.complete);
    if (!this.started || this.finishing || waits || this.items.length + this.earlier.length === 0) return;
    this.finishing = true;
    void this.finish().finally(() => {
      this.finishing = false;
    });
  }

  /** All is in, unless the server knows of more. */
  private async finish() {
    await this.recall(this.target);
    // A beginning whose answer was lost stands there beside the file that was sent in its place.
    const sent = new Set(this.items.map((item) => `${plain(item.path)}:${item.file.size}`));
    const double = (known: Earlier) => !known.complete && sent.has(`${known.filename}:${known.length}`);
    await Promise.all(this.earlier.filter(double).map((known) => end(this.place(known))));
    this.earlier = this.earlier.filter((known) => !double(known));
    this.onChange();
    if (this.earlier.some((known) => !known.complete)) return;
    this.started = false;
    this.onAllDone(this.items.length + this.earlier.length);
  }

  private send(item: Item) {
    item.state = "sending";
    const upload: Upload = new Upload(item.file, {
      endpoint: this.endpoint,
      uploadUrl: item.url || null,
      chunkSize: CHUNK_BYTES,
      retryDelays: RETRY_MS,
      metadata: { filename: item.path, filetype: item.file.type, ...this.target },
      storeFingerprintForResuming: false, // the server is asked what it has
      onUploadUrlAvailable: () => {
        item.url = upload.url ?? "";
      },
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
    upload.start();
  }
}

/** Has the server forget one upload; one that is gone already is as good. */
async function end(url: string) {
  await Upload.terminate(url, { retryDelays: RETRY_MS }).catch(() => undefined);
}

/** A path as the server keeps it. */
function plain(path: string): string {
  return path
    .split(/[\\/]/)
    .filter((part) => part !== "" && part !== "." && part !== "..")
    .join("/");
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
