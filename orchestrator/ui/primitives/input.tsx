// Text controls. Each keeps the typed text in the browser and sends it to the server a moment later, so that the caret does not jump.
import { useEffect, useRef, useState, type ChangeEvent, type KeyboardEvent } from "react";
import { cn } from "./cn";
import { useField } from "./field";

export const controlClasses =
  "w-full min-w-0 rounded-lg border border-input bg-background text-sm text-foreground transition-colors placeholder:text-muted-foreground focus-ring aria-invalid:border-destructive disabled:cursor-not-allowed disabled:opacity-50 touch:text-base";
export const controlHeight = { md: "h-9 touch:h-11", lg: "h-11" };

type Text = HTMLInputElement | HTMLTextAreaElement;

/** Mirrors `value` locally; `onChange` follows after a pause, and at once on blur, Enter or unmount. */
export function useTyped(value: string | number | undefined, onChange?: (value: string) => void, pause = 150) {
  const [text, setText] = useState(value === undefined || value === null ? undefined : String(value));
  const pending = useRef<string | null>(null);
  const sent = useRef<string[]>([]);
  const timer = useRef<number>(0);
  const send = useRef(onChange);
  send.current = onChange;

  const flush = () => {
    window.clearTimeout(timer.current);
    if (pending.current === null) return;
    const due = pending.current;
    sent.current.push(due);
    pending.current = null;
    send.current?.(due);
  };
  useEffect(() => {
    const next = value === undefined || value === null ? undefined : String(value);
    if (next === undefined) return;
    // An echo of an older keystroke must not overwrite what was typed since.
    const at = sent.current.lastIndexOf(next);
    const stale = at >= 0 && at < sent.current.length - 1;
    if (at >= 0) sent.current.splice(0, at + 1);
    if (pending.current === null && !stale) setText(next);
  }, [value]);
  useEffect(() => () => flush(), []);
  const type = (next: string) => {
    if (text !== undefined) setText(next);
    if (!send.current) return;
    pending.current = next;
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(flush, pause);
  };
  return { text, flush, type, change: (event: ChangeEvent<Text>) => type(event.target.value) };
}

type Props = {
  value?: string | number;
  defaultValue?: string | number;
  onChange?: (value: string) => void;
  onBlur?: (value: string) => void;
  onEnter?: (value: string) => void;
  onKeyDown?: (event: KeyboardEvent<Text>) => void;
  controlSize?: "md" | "lg";
  mono?: boolean;
  suffix?: string;
  /** Characters at most; more can be typed, is said at once, and is refused by the server: nothing is cut. */
  limit?: number;
  invalid?: boolean;
  id?: string;
  className?: string;
  [key: string]: unknown;
};

export function Input({ value, onChange, onBlur, onEnter, onKeyDown, controlSize = "md", mono, suffix, limit, invalid, id, className, ...rest }: Props) {
  const typed = useTyped(value, onChange);
  const wiring = useField({ id, invalid });
  const control = (
    <input
      {...wiring}
      {...rest}
      {...(typed.text === undefined ? {} : { value: typed.text })}
      className={cn(controlClasses, controlHeight[controlSize], "px-3", mono && "font-mono", suffix && "pr-14", className)}
      onChange={typed.change}
      onBlur={(event) => {
        typed.flush();
        onBlur?.(event.target.value);
      }}
      onKeyDown={(event) => {
        if (event.key === "Enter") {
          typed.flush();
          onEnter?.(event.currentTarget.value);
        }
        onKeyDown?.(event);
      }}
    />
  );
  const length = [...(typed.text ?? "")].length;
  if (limit)
    return (
      <>
        {control}
        {length > 0.8 * limit && (
        <span role="status" className={cn("text-right text-xs tabular", length > limit ? "text-destructive" : "text-muted-foreground")}>
          {length > limit ? `${length} of at most ${limit} characters: shorten it` : `${length} of ${limit} characters`}
        </span>
        )}
      </>
    );
  if (!suffix) return control;
  return (
    <span className="relative block">
      {control}
      <span aria-hidden className="pointer-events-none absolute inset-y-0 right-3 flex items-center text-xs text-muted-foreground">
        {suffix}
      </span>
    </span>
  );
}

export function Textarea({ value, onChange, onBlur, invalid, id, mono, className, ...rest }: Props) {
  const typed = useTyped(value, onChange);
  const wiring = useField({ id, invalid });
  return (
    <textarea
      rows={3}
      {...wiring}
      {...rest}
      {...(typed.text === undefined ? {} : { value: typed.text })}
      className={cn(controlClasses, "min-h-20 px-3 py-2", mono && "font-mono", className)}
      onChange={typed.change}
      onBlur={(event) => {
        typed.flush();
        onBlur?.(event.target.value);
      }}
    />
  );
}
