// Uploads files with tus, a few at a time; after a lost connection, a pause or a reload only the rest is sent.
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
  /** Its address on the server, once the upload has started. */
  url: string;
};
/** A file that the server has received, completely or in part, before this page was opened. */
export type Earlier = { id: string; filename: string; length: number; offset: number; complete: boolean };
type Target = Record<string, string>;

const MAX_PARALLEL = 3;
const CHUNK_BYTES = 64 * 1024 * 1024;
const RETRY_MS = [0, 1000, 3000, 5000, 10000];
const SPEED_WINDOW_MS = 4000;

export class Sender {
  items: Item[] = [];
  paused = false;
  started = false;
  /** Files of this target that the server has, but that are not chosen here. */
  earlier: Earlier[] = [];
  /** The server was asked for them. */
  earlierKnown = false;
  private live = new Map<number, Upload>();
  private target: Target = {};
  private nextId = 1;
  private samples: { at: number; sent: number }[] = [];
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
      this.matchEarlier();
      this.next();
    }
  }

  /** Removes files from the choice, and what has arrived of them from the server. */
  async remove(matches: (item: Item) => boolean) {
    const removed = this.items.filter(matches);
    this.items = this.items.filter((item) => !removed.includes(item));
    this.onChange();
    await Promise.all(removed.map((item) => this.discard(item)));
    this.next();
  }

  /** Asks the server what it has received of this target. */
  async readEarlier(target: Target) {
    this.target = target;
    try {
      const answer = await fetch(`${this.endpoint}?${new URLSearchParams(target)}`);
      const stored = answer.ok ? ((await answer.json()) as { items: Earlier[] }).items : [];
      const own = new Set(this.items.map((item) => item.url));
      this.earlier = stored.filter((known) => !own.has(this.address(known)));
    } catch {
      this.earlier = []; // without a connection the upload itself reports it
    }
    this.earlierKnown = true;
    this.onChange();
  }

  async start(target: Target) {
    this.started = true;
    this.paused = false;
    await this.readEarlier(target);
    this.matchEarlier();
    this.next();
  }

  /** Discards files that the server has in part only and that are not chosen here; then the upload may be complete. */
  async leaveOutEarlier() {
    const parts = this.earlier.filter((known) => !known.complete);
    await Promise.all(parts.map((known) => terminate(this.address(known))));
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

  /** Forgets everything here; the caller has the server delete what arrived. */
  clear() {
    for (const upload of this.live.values()) void upload.abort(true);
    this.live.clear();
    this.items = [];
    this.earlier = [];
    this.earlierKnown = false;
    this.started = false;
    this.paused = false;
    this.samples = [];
    this.onChange();
  }

  get total() {
    return this.items.reduce((sum, item) => sum + item.file.size, 0);
  }

  get sent() {
    return this.items.reduce((sum, item) => sum + item.sent, 0);
  }

  /** Bytes per second over the last seconds. */
  get speed() {
    const now = performance.now();
    this.samples.push({ at: now, sent: this.sent });
    while (this.samples.length > 2 && now - this.samples[0].at > SPEED_WINDOW_MS) this.samples.shift();
    const first = this.samples[0];
    return now - first.at < 300 ? 0 : Math.max(0, ((this.sent - first.sent) / (now - first.at)) * 1000);
  }

  private item(id: number): Item {
    return this.items.find((item) => item.id === id) as Item;
  }

  private address(known: Earlier) {
    return `${this.endpoint}/${known.id}`;
  }

  /** Continues chosen files that the server already has, completely or in part: those of the same path and size. */
  private matchEarlier() {
    const byName = new Map(this.earlier.map((known) => [`${known.filename}:${known.length}`, known]));
    for (const item of this.items) {
      const known = byName.get(`${normalized(item.path)}:${item.file.size}`);
      if (!known || item.url || item.state !== "waiting") continue;
      item.url = this.address(known);
      item.sent = known.offset;
      if (known.complete) item.state = "done";
    }
    const matched = new Set(this.items.map((item) => item.url));
    this.earlier = this.earlier.filter((known) => !matched.has(this.address(known)));
    this.samples = [];
  }

  private async discard(item: Item) {
    const upload = this.live.get(item.id);
    this.live.delete(item.id);
    await upload?.abort();
    if (item.url) await terminate(item.url);
  }

  private next() {
    this.onChange();
    if (this.paused || !this.started) return;
    for (const item of this.items) {
      if (this.live.size >= MAX_PARALLEL) break;
      if (item.state === "waiting") this.send(item);
    }
    this.finishIfComplete();
  }

  private finishIfComplete() {
    const incomplete = this.items.some((item) => item.state !== "done") || this.earlier.some((known) => !known.complete);
    if (!this.started || this.finishing || incomplete || this.items.length + this.earlier.length === 0) return;
    this.finishing = true;
    void this.finish().finally(() => {
      this.finishing = false;
    });
  }

  /** Reports the upload as complete, unless the server knows of incomplete files. */
  private async finish() {
    await this.readEarlier(this.target);
    // Where the answer to a started upload was lost, the file was sent again: the unfinished first upload is discarded.
    const sent = new Set(this.items.map((item) => `${normalized(item.path)}:${item.file.size}`));
    const isSuperseded = (known: Earlier) => !known.complete && sent.has(`${known.filename}:${known.length}`);
    await Promise.all(this.earlier.filter(isSuperseded).map((known) => terminate(this.address(known))));
    this.earlier = this.earlier.filter((known) => !isSuperseded(known));
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
        item.problem = messageOf(error as DetailedError);
        this.next();
      },
    });
    this.live.set(item.id, upload);
    upload.start();
  }
}

/** Deletes one upload on the server; it may be deleted already. */
async function terminate(url: string) {
  await Upload.terminate(url, { retryDelays: RETRY_MS }).catch(() => undefined);
}

/** A path as the server stores it. */
function normalized(path: string): string {
  return path
    .split(/[\\/]/)
    .filter((part) => part !== "" && part !== "." && part !== "..")
    .join("/");
}

function messageOf(error: DetailedError): string {
  try {
    const body = JSON.parse(error.originalResponse?.getBody() ?? "") as { detail?: string };
    if (body.detail) return body.detail;
  } catch {
    // The answer is not JSON: a general message follows below.
  }
  const status = error.originalResponse?.getStatus();
  if (!status) return "The connection was lost. Check it, then try again.";
  return status === 413 ? "This file is too large for this server." : `The server refused it (${status}). Try again.`;
}
