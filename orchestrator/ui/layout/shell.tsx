// The moving parts of the shell: the drawer of a phone and the pill of running jobs.
import * as Radix from "@radix-ui/react-dialog";
import { Menu, X } from "lucide-react";
import { useState, type MouseEvent, type ReactNode } from "react";
import { Link } from "react-router";
import { cn } from "../primitives/cn";
import { squareButton } from "./theme_toggle";

export function NavDrawer({ children }: { children?: ReactNode }) {
  const [open, setOpen] = useState(false);
  const follow = (event: MouseEvent) => {
    if ((event.target as HTMLElement).closest("a")) setOpen(false);
  };
  return (
    <Radix.Root open={open} onOpenChange={setOpen}>
      <Radix.Trigger aria-label="Open menu" className={cn(squareButton, "-ml-2 md:hidden")}>
        <Menu aria-hidden className="size-5" />
      </Radix.Trigger>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-50 bg-black/60 animate-fade md:hidden" />
        <Radix.Content
          aria-describedby={undefined}
          onClick={follow}
          className="fixed inset-y-0 left-0 z-50 flex w-72 max-w-[85vw] flex-col border-r border-border bg-background shadow-float outline-none animate-drawer md:hidden"
        >
          <Radix.Title className="sr-only">Menu</Radix.Title>
          <Radix.Close aria-label="Close menu" className={cn(squareButton, "absolute right-2 top-1.5")}>
            <X aria-hidden className="size-5" />
          </Radix.Close>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** A ring of progress and the count; nothing while nothing runs. */
export function RunningPill({ count = 0, percent, series = 1, href = "/jobs" }: { count?: number; percent?: number; series?: number; href?: string }) {
  if (!count) return null;
  const known = percent !== undefined && percent !== null && percent >= 0;
  const share = known ? Math.max(0, Math.min(100, percent)) : 25;
  const around = 2 * Math.PI * 6;
  return (
    <Link
      to={href}
      className="inline-flex h-9 shrink-0 items-center gap-2 rounded-lg border border-border bg-card px-3 text-sm no-underline transition-colors focus-ring hover:bg-muted touch:h-11"
    >
      <svg viewBox="0 0 16 16" className={cn("size-4 -rotate-90", !known && "animate-spin")} aria-hidden>
        <circle cx="8" cy="8" r="6" fill="none" strokeWidth="3" className="stroke-muted" />
        <circle
          cx="8"
          cy="8"
          r="6"
          fill="none"
          strokeWidth="3"
          stroke={`var(--series-${series})`}
          strokeDasharray={`${(around * share) / 100} ${around}`}
        />
      </svg>
      {known && <span className="font-medium tabular">{`${Math.round(share)}\u202f%`}</span>}
      <span className="text-muted-foreground max-sm:sr-only">{`${count} running`}</span>
    </Link>
  );
}
