// The moving parts of the shell: the drawer of a phone and the pill of running jobs.
import { Menu } from "lucide-react";
import { type MouseEvent, type ReactNode } from "react";
import { Link } from "react-router";
import { cn } from "../primitives/cn";
import { later, useOpenedOnce } from "../primitives/later";
import { useOpen } from "../primitives/open_state";
import { squareButton } from "./theme_toggle";

const { Part: Panel, preload } = later(() => import("./nav_drawer_panel"));

export function NavDrawer({ children }: { children?: ReactNode }) {
  const state = useOpen(undefined);
  const opened = useOpenedOnce(state.open);
  return (
    <>
      <button
        type="button"
        aria-label="Open menu"
        aria-haspopup="dialog"
        aria-expanded={state.open}
        className={cn(squareButton, "-ml-2 md:hidden")}
        onClick={() => state.change(true)}
        {...preload}
      >
        <Menu aria-hidden className="size-5" />
      </button>
      {opened && <Panel {...state}>{children}</Panel>}
    </>
  );
}

/** No router link: that would only scroll, and the next Tab would lead into the navigation all the same. */
export function SkipLink() {
  const skip = (event: MouseEvent) => {
    event.preventDefault();
    document.getElementById("content")?.focus();
  };
  return (
    <a
      href="#content"
      onClick={skip}
      className="sr-only z-70 rounded-lg bg-primary px-4 py-2 font-medium text-primary-foreground focus:not-sr-only focus:fixed focus:left-3 focus:top-3"
    >
      Skip to content
    </a>
  );
}

type Pill = { count?: number; waiting?: number; percent?: number; series?: number; href?: string };

/** A ring of progress and the count; the number of waiting jobs shows only while none runs, and nothing when there are none. */
export function RunningPill({ count = 0, waiting = 0, percent, series = 1, href = "/jobs" }: Pill) {
  if (!count && !waiting) return null;
  const known = percent !== undefined && percent !== null && percent >= 0;
  const share = known ? Math.max(0, Math.min(100, percent)) : 25;
  const around = 2 * Math.PI * 6;
  return (
    <Link
      to={href}
      title={count && waiting ? `${waiting} more waiting` : undefined}
      className="inline-flex h-9 shrink-0 items-center gap-2 rounded-lg border border-border bg-card px-3 text-sm no-underline transition-colors focus-ring hover:bg-muted touch:h-11"
    >
      <svg viewBox="0 0 16 16" className={cn("size-4 -rotate-90", !known && count > 0 && "animate-spin")} aria-hidden>
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
      <span className="text-muted-foreground max-sm:sr-only">{count ? `${count} running` : `${waiting} waiting`}</span>
    </Link>
  );
}
