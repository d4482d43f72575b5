// Uploads one dropped or picked clip at once; the server checks it and returns its id.
import { useRef, useState } from "react";
import { Upload } from "lucide-react";
import { cn } from "../primitives/cn";
import { useDropZone } from "./drop_zone";

type Props = { endpoint: string; limit: number; disabled?: boolean; onDone?: (id: string) => void; className?: string };

const CHECKING = "Checking the clip";

export function ClipDrop({ endpoint, limit, disabled, onDone, className }: Props) {
  const [state, setState] = useState("");
  const [problem, setProblem] = useState("");
  const pick = useRef<HTMLInputElement>(null);
  const request = useRef<XMLHttpRequest | null>(null);

  const send = (file: File | undefined) => {
    if (!file || disabled) return;
    setProblem("");
    if (file.size > limit) {
      setProblem(`${file.name} is larger than ${Math.round(limit / 1e6)} MB. Cut it, or add it to a dataset.`);
      return;
    }
    const call = new XMLHttpRequest();
    request.current = call;
    call.open("POST", `${endpoint}?name=${encodeURIComponent(file.name)}`);
    call.upload.onprogress = (event) =>
      setState(event.loaded < event.total ? `Sending: ${Math.floor((100 * event.loaded) / event.total)} %` : CHECKING);
    call.onload = () => {
      setState("");
      const answer = parse(call.responseText);
      if (call.status === 201) onDone?.(String(answer.id));
      else setProblem(String(answer.detail ?? "The clip could not be sent. Try again."));
    };
    call.onerror = () => {
      setState("");
      setProblem("The connection was lost while the clip was sent. Try again.");
    };
    call.onabort = () => setState("");
    setState("Sending: 0 %");
    call.send(file);
  };
  const { over, handlers } = useDropZone((transfer) => send(transfer.files[0]));

  return (
    <div className={className}>
      <div className="relative">
        <button
          type="button"
          disabled={disabled || state !== ""}
          onClick={() => pick.current?.click()}
          {...handlers}
          className={cn(
            "focus-ring tap flex h-11 w-full cursor-pointer items-center justify-center gap-2 rounded-lg border border-dashed border-input text-sm text-muted-foreground transition-colors hover:border-primary hover:text-foreground disabled:cursor-default",
            over && "border-primary bg-primary/8 text-foreground",
          )}
        >
          <Upload size={16} aria-hidden />
          <span aria-live="polite">{state || "Or drop your own"}</span>
        </button>
        {state && (
          <button
            type="button"
            onClick={() => request.current?.abort()}
            className="focus-ring link-muted absolute top-0 right-2 h-full px-1 text-xs"
          >
            Cancel
          </button>
        )}
      </div>
      <input
        ref={pick}
        type="file"
        accept="video/*,.mkv,.avi,.gif"
        aria-label="A clip of your own"
        className="sr-only"
        tabIndex={-1}
        onChange={(event) => {
          send(event.target.files?.[0]);
          event.target.value = "";
        }}
      />
      {problem && (
        <p role="alert" className="mt-1.5 text-xs text-destructive">
          {problem}
        </p>
      )}
    </div>
  );
}

function parse(text: string): { id?: unknown; detail?: unknown } {
  try {
    return JSON.parse(text) as { id?: unknown; detail?: unknown };
  } catch {
    return {};
  }
}
