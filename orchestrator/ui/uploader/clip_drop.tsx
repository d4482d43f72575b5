// One clip to try: dropped or picked, sent at once, looked over by the server, then handed on by its id.
import { useRef, useState, type DragEvent } from "react";
import { Upload } from "lucide-react";
import { cn } from "../primitives/cn";

type Props = { endpoint: string; limit: number; disabled?: boolean; onDone?: (id: string) => void; className?: string };

const CHECKING = "Looking the clip over";

export function ClipDrop({ endpoint, limit, disabled, onDone, className }: Props) {
  const [over, setOver] = useState(false);
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
      const said = answer(call.responseText);
      if (call.status === 201) onDone?.(String(said.id));
      else setProblem(String(said.detail ?? "The clip could not be sent. Try again."));
    };
    call.onerror = () => {
      setState("");
      setProblem("The line broke off while the clip was sent. Try again.");
    };
    call.onabort = () => setState("");
    setState("Sending: 0 %");
    call.send(file);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    send(event.dataTransfer.files[0]);
  };

  return (
    <div className={className}>
      <div className="relative">
        <button
          type="button"
          disabled={disabled || state !== ""}
          onClick={() => pick.current?.click()}
          onDragOver={(event) => {
            event.preventDefault();
            setOver(true);
          }}
          onDragLeave={() => setOver(false)}
          onDrop={drop}
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
            className="focus-ring link-quiet absolute top-0 right-2 h-full px-1 text-xs"
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

function answer(text: string): { id?: unknown; detail?: unknown } {
  try {
    return JSON.parse(text) as { id?: unknown; detail?: unknown };
  } catch {
    return {};
  }
}
