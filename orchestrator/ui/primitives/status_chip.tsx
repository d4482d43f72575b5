// A status as colour, icon and word. The keys are the domain's status values.
import {
  CircleAlert,
  CircleCheck,
  CircleDashed,
  CircleStop,
  CircleX,
  Clock,
  LoaderCircle,
  ScanSearch,
  TriangleAlert,
  Unplug,
  Upload,
  type LucideIcon,
} from "lucide-react";
import { cn } from "./cn";

type StatusStyle = { tone: Tone; icon: LucideIcon; word: string; spin?: boolean };
type Tone = "primary" | "success" | "warning" | "destructive" | "info" | "muted";

export const tones: Record<Tone, string> = {
  primary: "bg-primary/13 text-primary",
  success: "bg-success/13 text-success",
  warning: "bg-warning/13 text-warning",
  destructive: "bg-destructive/13 text-destructive",
  info: "bg-info/13 text-info",
  muted: "bg-muted text-muted-foreground",
};

export const styles: Record<string, StatusStyle> = {
  running: { tone: "primary", icon: LoaderCircle, word: "Running", spin: true },
  starting: { tone: "primary", icon: LoaderCircle, word: "Starting", spin: true },
  completed: { tone: "success", icon: CircleCheck, word: "Completed" },
  ready: { tone: "success", icon: CircleCheck, word: "Ready" },
  failed: { tone: "destructive", icon: CircleX, word: "Failed" },
  error: { tone: "destructive", icon: CircleAlert, word: "Error" },
  bad: { tone: "destructive", icon: CircleAlert, word: "Damaged" },
  warning: { tone: "warning", icon: TriangleAlert, word: "Warning" },
  lost: { tone: "warning", icon: Unplug, word: "Lost" },
  processing: { tone: "info", icon: LoaderCircle, word: "Processing", spin: true },
  review: { tone: "warning", icon: ScanSearch, word: "Check how it was read" },
  waiting: { tone: "warning", icon: Upload, word: "Waiting for files" },
  in_use: { tone: "info", icon: LoaderCircle, word: "In use" },
  uploading: { tone: "info", icon: Upload, word: "Uploading" },
  receiving: { tone: "info", icon: Upload, word: "Uploading" },
  queued: { tone: "muted", icon: Clock, word: "Queued" },
  draft: { tone: "muted", icon: CircleDashed, word: "Draft" },
  stopping: { tone: "muted", icon: CircleStop, word: "Stopping" },
  stopped: { tone: "muted", icon: CircleStop, word: "Stopped" },
};

export function StatusChip({ status, word, className }: { status: string; word?: string; className?: string }) {
  const style = styles[status] ?? { tone: "muted" as Tone, icon: CircleDashed, word: status };
  const Icon = style.icon;
  return (
    <span
      data-status={status}
      className={cn("inline-flex h-6 shrink-0 items-center gap-1 rounded-full px-2 text-xs font-medium whitespace-nowrap", tones[style.tone], className)}
    >
      <Icon aria-hidden className={cn("size-3.5", style.spin && "animate-spin")} />
      {word || style.word}
    </span>
  );
}
