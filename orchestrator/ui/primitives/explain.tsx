// A "?" next to a word: its sentence and a link to the glossary, in the browser's own popover (Escape and a press outside close it).
import { useId, type ToggleEvent } from "react";

const WIDTH = 288;
const GAP = 6;
const EDGE = 8;
const ROOM = 180; // a popover is less high

/** Below the button, or above it where the window ends; never past its sides. */
function place(event: ToggleEvent<HTMLDivElement>, button: HTMLElement | null) {
  if (event.newState !== "open" || !button) return;
  const at = button.getBoundingClientRect();
  const { style } = event.currentTarget;
  const left = Math.max(EDGE, Math.min(at.left - EDGE, window.innerWidth - WIDTH - EDGE));
  const above = at.bottom + ROOM > window.innerHeight && at.top > ROOM;
  style.left = `${left + window.scrollX}px`;
  style.top = `${(above ? at.top - GAP : at.bottom + GAP) + window.scrollY}px`;
  style.translate = above ? "0 -100%" : "none";
}

type Props = { term: string; text: string; href: string };

export function Explain({ term, text, href }: Props) {
  const id = useId();
  return (
    <span className="inline-flex align-middle">
      <button
        type="button"
        id={`${id}-button`}
        popoverTarget={id}
        aria-label={`What is ${term}?`}
        aria-describedby={`${id}-text`}
        className="relative -my-1 inline-flex size-6 shrink-0 cursor-help items-center justify-center rounded-full text-muted-foreground focus-ring hover:text-foreground after:absolute touch:after:-inset-2.5"
      >
        <span
          aria-hidden
          className="flex size-3.5 items-center justify-center rounded-full border border-input text-[0.625rem] leading-none font-medium"
        >
          ?
        </span>
      </button>
      <div
        id={id}
        popover="auto"
        role="group"
        aria-label={term}
        onBeforeToggle={(event) => place(event, document.getElementById(`${id}-button`))}
        className="absolute inset-auto m-0 w-72 rounded-lg border border-border bg-popover p-3 text-left text-sm font-normal whitespace-normal text-foreground shadow-float print:hidden"
      >
        <p className="font-medium">{term}</p>
        <p id={`${id}-text`} className="mt-1 text-muted-foreground">
          {text}
        </p>
        <a href={href} className="mt-2 inline-flex min-h-6 items-center rounded-sm link-muted">
          Glossary
        </a>
      </div>
    </span>
  );
}
