// Words that turn into a small field where they stand. What is typed lives here until the server has taken it.
import { CircleAlert } from "lucide-react";
import { useEffect, useId, useRef, useState, type FocusEvent, type KeyboardEvent, type ReactNode } from "react";
import { Button } from "../primitives/button";
import { cn } from "../primitives/cn";
import { useChoices, type Choice } from "../primitives/combobox";
import { controlClasses } from "../primitives/input";

type Props = {
  value: string;
  what: string;
  of: string;
  multiline?: boolean;
  most?: number;
  problem?: string;
  attempt?: number;
  options?: Choice[];
  noun?: string;
  fresh?: string;
  onSave?: (text: string) => void;
  className?: string;
  children?: ReactNode;
};

/** Letters that a line of a tile holds. */
const LINE = 22;
const NONE: Choice[] = [];
/** As the server takes words over: composed, without marks that cannot be seen. */
const plain = (text: string) => text.normalize("NFC").replace(/[^\P{C}\n\t]/gu, "").trim();

export function InlineEdit({ value, what, of, multiline, most, problem = "", attempt, options = NONE, noun, fresh, onSave, className, children }: Props) {
  const [text, setText] = useState<string | null>(null);
  const [refused, setRefused] = useState("");
  const sent = useRef<string | null>(null);
  const back = useRef(false);
  const words = useRef<HTMLButtonElement>(null);
  const control = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  const note = useId();
  const editing = text !== null;
  const choices = useChoices({ options, text: text ?? "", pick: setText, fresh, noun, invalid: refused !== "" });

  const close = () => {
    // The focus returns to the text, unless it has already moved elsewhere.
    back.current = document.activeElement?.closest("[data-inline-edit]") === control.current?.closest("[data-inline-edit]");
    sent.current = null;
    choices.reset();
    setText(null);
    setRefused("");
  };
  const save = () => {
    if (text === null || (sent.current === text && !refused)) return;
    if (text.trim() === value.trim()) return close();
    sent.current = text;
    setRefused("");
    onSave?.(text);
  };
  const leave = (event: FocusEvent<HTMLElement>) => {
    const stays = event.currentTarget.contains(event.relatedTarget) || document.activeElement === control.current;
    // What was refused already is not sent once more by looking elsewhere.
    if (!stays) choices.close();
    if (!stays && sent.current !== text) save();
  };
  const press = (event: KeyboardEvent<HTMLElement>) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Escape") close();
    else if (event.key === "Enter" && !event.shiftKey && event.target === control.current) save();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  useEffect(() => {
    if (sent.current !== null && plain(value) === plain(sent.current)) close();
  }, [value]);
  useEffect(() => {
    if (problem && sent.current !== null) setRefused(problem);
  }, [problem, attempt]);
  useEffect(() => {
    if (editing) {
      // A label is usually replaced, a caption usually continued.
      control.current?.focus();
      control.current?.setSelectionRange(multiline ? value.length : 0, value.length);
    } else if (back.current) {
      back.current = false;
      words.current?.focus();
    }
  }, [editing]);

  if (!editing) {
    const empty = `Add a ${what.toLowerCase()}`;
    return (
      <div className={cn("flex items-baseline justify-between gap-2", className)}>
        <button
          ref={words}
          type="button"
          title={value}
          aria-label={`Edit ${of}: ${value || empty}`}
          onClick={() => setText(value)}
          className={cn(
            "focus-ring min-w-0 flex-1 cursor-text rounded-md py-0.5 text-left hover:text-primary",
            !value && "text-muted-foreground",
          )}
        >
          <span className={multiline ? "line-clamp-2 break-words" : "block truncate font-medium"}>{value || empty}</span>
        </button>
        {children}
      </div>
    );
  }
  const shared = {
    ref: control,
    value: text,
    maxLength: most,
    autoComplete: "off",
    enterKeyHint: "done" as const,
    "aria-label": `${what} of ${of}`,
    "aria-invalid": Boolean(refused) || undefined,
    "aria-describedby": refused ? note : undefined,
    onChange: (event: { target: { value: string } }) => setText(event.target.value),
  };
  const line = <input {...shared} className={cn(controlClasses, "h-8 px-2 text-xs touch:h-11")} />;
  const offering = (
    <input
      {...shared}
      {...choices.inputProps}
      className={cn(controlClasses, "h-8 pl-2 pr-8 text-xs touch:h-11 touch:pr-11")}
      onChange={(event) => {
        choices.typed(event.target.value);
        setText(event.target.value);
      }}
      onKeyDown={choices.handleKey}
    />
  );
  return (
    <div data-inline-edit className={cn("flex flex-col gap-1.5", className)} onBlur={leave} onKeyDown={press}>
      {multiline ? (
        <textarea
          {...shared}
          rows={Math.min(8, Math.max(3, Math.ceil(text.length / LINE)))}
          className={cn(controlClasses, "block resize-y px-2 py-1.5 text-xs")}
        />
      ) : options.length > 0 ? (
        choices.withList(offering)
      ) : (
        line
      )}
      <div aria-live="polite" className="empty:hidden">
        {refused && (
          <p id={note} className="flex items-start gap-1.5 text-xs text-destructive">
            <CircleAlert aria-hidden className="mt-px size-3.5 shrink-0" />
            <span className="min-w-0 break-words">{refused}</span>
          </p>
        )}
      </div>
      {/* A press must not first take the keyboard away from the field: leaving it saves. */}
      <div className="flex gap-1.5" onMouseDown={(event) => event.preventDefault()}>
        <Button size="sm" title="Enter" onClick={save}>
          Save
        </Button>
        <Button size="sm" variant="ghost" title="Escape" onClick={close}>
          Cancel
        </Button>
      </div>
    </div>
  );
}
