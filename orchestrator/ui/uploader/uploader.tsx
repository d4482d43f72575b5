// Picks or drops files and folders, then uploads them with progress and speed; can be paused, resumed and cancelled.
import { CircleAlert, CircleCheck, File as FileIcon, FolderOpen, LoaderCircle, Pause, Play, RotateCw, Upload, X } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { Button } from "../primitives/button";
import { cn } from "../primitives/cn";
import { Confirm } from "../primitives/confirm";
import { useDropZone } from "./drop_zone";
import { filesOfDrop, filesOfInput, ignoreStrayDrops, takeStored, type Picked } from "./pick";
import { Sender, type Earlier, type Item } from "./sender";

type Summary = { count: number; bytes: number; name: string };
type Props = {
  endpoint: string;
  target: string;
  targetName: string;
  title?: string;
  accept?: string;
  hint?: string;
  invalid?: boolean;
  onPick?: (summary: Summary) => void;
  onDone?: (count: number) => void;
  onCancel?: () => void;
};

const MAX_LINES = 8;
const RENDER_MS = 150;
const UNITS = ["B", "KB", "MB", "GB", "TB"];

function size(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)}\u00a0${UNITS[unit]}`;
}

const files = (count: number) => `${count.toLocaleString("en")}\u00a0${count === 1 ? "file" : "files"}`;

/** A name for the dataset: that of the zip or the folder. */
function suggestedName(items: Item[]): string {
  const first = items[0]?.path ?? "";
  const folder = first.includes("/") ? first.split("/")[0] : items.length === 1 ? first.replace(/\.[^.]+$/, "") : "";
  return folder.slice(0, 80);
}

/** What the file picker offers: videos, archives, and the tables that describe clips. */
const CLIPS = "video/*,.mkv,.avi,.m4v,.zip,.tar,.gz,.tgz,.csv,.json,.jsonl,.txt";

export function Uploader({ endpoint, target, targetName, title = "Drop clips, folders or a zip here", accept = CLIPS, hint, invalid, onPick, onDone, onCancel }: Props) {
  const [, render] = useState(0);
  const timer = useRef<number | undefined>(undefined);
  const calls = useRef({ onPick, onDone, onCancel });
  calls.current = { onPick, onDone, onCancel };
  const filePicker = useRef<HTMLInputElement>(null);
  const folderPicker = useRef<HTMLInputElement>(null);

  const sender = useMemo(() => {
    const renderSoon = () => {
      timer.current ??= window.setTimeout(() => {
        timer.current = undefined;
        render((n) => n + 1);
      }, RENDER_MS);
    };
    return new Sender(endpoint, renderSoon, (count) => calls.current.onDone?.(count));
  }, [endpoint]);

  useEffect(() => () => sender.pause(), [sender]);
  useEffect(ignoreStrayDrops, []);
  useEffect(() => {
    if (target && sender.items.length > 0 && !sender.started) void sender.start({ [targetName]: target });
    else if (target && sender.items.length === 0) void sender.readEarlier({ [targetName]: target });
  }, [target, targetName, sender]);
  useEffect(() => {
    const guard = (event: BeforeUnloadEvent) => {
      if (sender.started) event.preventDefault();
    };
    window.addEventListener("beforeunload", guard);
    return () => window.removeEventListener("beforeunload", guard);
  }, [sender]);

  const report = () => calls.current.onPick?.({ count: sender.items.length, bytes: sender.total, name: suggestedName(sender.items) });
  const take = (picked: Picked[]) => {
    if (picked.length === 0) return;
    sender.add(picked);
    report();
    if (target && !sender.started) void sender.start({ [targetName]: target });
  };
  useEffect(() => {
    sender.add(takeStored());
    // Also when nothing was stored: the page may still show the files of an earlier visit.
    report();
  }, [sender]);
  const { over, handlers } = useDropZone((transfer) => void filesOfDrop(transfer).then(take));
  const remove = (matches: (item: Item) => boolean) => {
    void sender.remove(matches);
    report();
  };
  const cancel = () => {
    sender.clear();
    calls.current.onCancel?.();
  };

  const { items, started, paused, earlier } = sender;
  const parts = earlier.filter((known) => !known.complete);
  const failed = items.filter((item) => item.state === "failed");
  const order = { failed: 0, sending: 1, waiting: 2, done: 3 };
  const shown = [...items].sort((a, b) => order[a.state] - order[b.state] || a.id - b.id).slice(0, MAX_LINES);
  const share = sender.total ? (100 * sender.sent) / sender.total : 0;
  const done = items.filter((item) => item.state === "done").length;

  return (
    <div className="flex flex-col gap-3">
      <div
        {...handlers}
        className={cn(
          "flex flex-col items-center gap-1 rounded-xl border border-dashed border-input px-6 py-8 text-center transition-colors",
          over && "border-primary bg-primary/8",
          invalid && "border-destructive",
        )}
      >
        <span className="grid size-10 place-items-center rounded-full bg-muted text-muted-foreground">
          <Upload aria-hidden className="size-4" />
        </span>
        <p className="mt-2 text-sm font-semibold">{title}</p>
        {hint && <p className="max-w-md text-xs text-muted-foreground">{hint}</p>}
        <div className="mt-3 flex flex-wrap justify-center gap-2">
          <Button onClick={() => filePicker.current?.click()}>
            <FileIcon aria-hidden />
            Choose files
          </Button>
          <Button onClick={() => folderPicker.current?.click()}>
            <FolderOpen aria-hidden />
            Choose a folder
          </Button>
        </div>
        <input
          ref={filePicker}
          type="file"
          multiple
          hidden
          aria-label="Files"
          data-uploader="files"
          accept={accept}
          onChange={(event) => {
            take(filesOfInput(event.target.files));
            event.target.value = "";
          }}
        />
        <input
          ref={(node) => {
            folderPicker.current = node;
            node?.setAttribute("webkitdirectory", "");
          }}
          type="file"
          multiple
          hidden
          aria-label="Folder"
          data-uploader="folder"
          onChange={(event) => {
            take(filesOfInput(event.target.files));
            event.target.value = "";
          }}
        />
      </div>

      {sender.earlierKnown && (items.length === 0 || parts.length > 0) && (
        <Interrupted earlier={earlier} chosen={items.length > 0} onLeaveOut={() => void sender.leaveOutEarlier()} onCancel={cancel} />
      )}

      {items.length > 0 && (
        <div className="rounded-xl border border-border bg-card">
          <div className="flex flex-wrap items-center justify-between gap-3 px-4 py-3">
            <div className="min-w-0">
              <p className="text-sm font-medium tabular">
                {started ? `${size(sender.sent)} of ${size(sender.total)}` : `${files(items.length)}, ${size(sender.total)}`}
              </p>
              <p className="text-xs tabular text-muted-foreground" aria-live="polite">
                {started
                  ? `${done.toLocaleString("en")} of ${files(items.length)}${paused ? ", paused" : `, ${size(sender.speed)}/s`}`
                  : target && done === items.length
                    ? "All files have arrived."
                    : "Nothing is sent before you press the button below."}
              </p>
            </div>
            <div className="flex flex-wrap gap-2">
              {failed.length > 0 && (
                <Button size="sm" onClick={() => remove((item) => item.state === "failed")}>
                  Remove failed files
                </Button>
              )}
              {started && (
                <Button size="sm" onClick={() => (paused ? sender.resume() : sender.pause())}>
                  {paused ? <Play aria-hidden /> : <Pause aria-hidden />}
                  {paused ? "Resume" : "Pause"}
                </Button>
              )}
              <CancelUpload arrived={sender.sent} word={started ? "Cancel upload" : "Clear"} onCancel={cancel} />
            </div>
          </div>
          {started && (
            <div
              role="progressbar"
              aria-label="Upload"
              aria-valuemin={0}
              aria-valuemax={100}
              aria-valuenow={Math.floor(share)}
              className="mx-4 h-1.5 overflow-hidden rounded-full bg-muted"
            >
              <div className="h-full rounded-full bg-info transition-[width]" style={{ width: `${share}%` }} />
            </div>
          )}
          <ul className="px-4 py-2">
            {shown.map((item) => (
              <Line key={item.id} item={item} started={started} onRemove={(id) => remove((other) => other.id === id)} onRetry={(id) => sender.retry(id)} />
            ))}
          </ul>
          {items.length > MAX_LINES && (
            <p className="border-t border-border px-4 py-2 text-xs text-muted-foreground">
              and {files(items.length - MAX_LINES)} more{failed.length > 0 ? `, ${failed.length} could not be sent` : ""}
            </p>
          )}
        </div>
      )}
    </div>
  );
}

type InterruptedProps = { earlier: Earlier[]; chosen: boolean; onLeaveOut: () => void; onCancel: () => void };

/** What an earlier page uploaded; a browser needs the files again to continue. */
function Interrupted({ earlier, chosen, onLeaveOut, onCancel }: InterruptedProps) {
  const complete = earlier.filter((known) => known.complete).length;
  const parts = earlier.length - complete;
  const arrived = earlier.reduce((sum, known) => sum + known.offset, 0);
  const received = [complete > 0 && `${files(complete)} arrived`, parts > 0 && `${files(parts)} in part`].filter(Boolean).join(", ");
  return (
    <div role="status" className="flex flex-col gap-3 rounded-xl border border-warning/45 bg-warning/8 px-4 py-3">
      <div>
        <p className="text-sm font-medium">
          {chosen ? `Not chosen again: ${files(parts)}, of which a part arrived` : "This upload was interrupted"}
        </p>
        <p className="text-xs text-muted-foreground">
          {!chosen && (earlier.length > 0 ? `${received}, ${size(arrived)} in all. ` : "Nothing had arrived. ")}
          Choose the same files or folder again to continue. What has arrived is not sent a second time.
        </p>
      </div>
      <div className="flex flex-wrap gap-2">
        {(chosen || complete > 0) && (
          <Button size="sm" onClick={onLeaveOut}>
            {chosen ? "Leave them out" : "Continue with what arrived"}
          </Button>
        )}
        {!chosen && <CancelUpload arrived={arrived} word="Cancel upload" onCancel={onCancel} />}
      </div>
    </div>
  );
}

/** Asks for confirmation where something has arrived: it would have to be sent again. */
function CancelUpload({ arrived, word, onCancel }: { arrived: number; word: string; onCancel: () => void }) {
  const button = (
    <Button size="sm" variant="ghost" onClick={arrived > 0 ? undefined : onCancel}>
      <X aria-hidden />
      {word}
    </Button>
  );
  if (arrived === 0) return button;
  return (
    <Confirm
      title="Cancel this upload?"
      description={`What has arrived, ${size(arrived)}, is deleted from the server.`}
      confirm="Cancel upload"
      cancel="Keep uploading"
      onConfirm={onCancel}
      opener={button}
    />
  );
}

type LineProps = { item: Item; started: boolean; onRemove: (id: number) => void; onRetry: (id: number) => void };

function Line({ item, started, onRemove, onRetry }: LineProps) {
  const share = item.file.size ? (100 * item.sent) / item.file.size : 0;
  return (
    <li className="flex flex-col gap-1 py-1.5">
      <div className="flex items-center gap-2 text-xs">
        <StateIcon state={item.state} />
        <span className="min-w-0 flex-1 truncate font-mono" title={item.path}>
          {item.path}
        </span>
        <span className="shrink-0 tabular text-muted-foreground">{size(item.file.size)}</span>
        {item.state === "failed" && item.file.size > 0 && (
          <Button size="icon-sm" variant="ghost" aria-label={`Try ${item.path} again`} onClick={() => onRetry(item.id)}>
            <RotateCw aria-hidden />
          </Button>
        )}
        {(!started || item.state === "failed") && (
          <Button size="icon-sm" variant="ghost" aria-label={`Leave out ${item.path}`} onClick={() => onRemove(item.id)}>
            <X aria-hidden />
          </Button>
        )}
      </div>
      {item.state === "sending" && (
        <div className="ml-6 h-1 overflow-hidden rounded-full bg-muted">
          <div className="h-full rounded-full bg-info/70" style={{ width: `${share}%` }} />
        </div>
      )}
      {item.problem && (
        <p role="alert" className="ml-6 text-xs text-destructive">
          {item.problem}
        </p>
      )}
    </li>
  );
}

function StateIcon({ state }: { state: Item["state"] }) {
  if (state === "done") return <CircleCheck aria-label="Sent" className="size-4 shrink-0 text-success" />;
  if (state === "failed") return <CircleAlert aria-label="Not sent" className="size-4 shrink-0 text-destructive" />;
  if (state === "sending") return <LoaderCircle aria-label="Sending" className="size-4 shrink-0 animate-spin text-info" />;
  return <FileIcon aria-hidden className="size-4 shrink-0 text-muted-foreground" />;
}
