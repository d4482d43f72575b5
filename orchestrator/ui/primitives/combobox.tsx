// A text field that suggests existing values and accepts new ones: WAI-ARIA's editable combobox with a list.
import { Check, ChevronDown } from "lucide-react";
import { useEffect, useId, useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactNode, type RefObject } from "react";
import { cn } from "./cn";
import { useField } from "./field";
import { controlClasses, controlHeight, useTyped } from "./input";

export type Choice = { value: string; label: string; hint?: string };

const SHOWN = 50; // typing more narrows the list
const GAP = 4;

const folded = (text: string) => text.trim().toLowerCase();

/** Options that begin with the typed text, then those that contain it. */
function matching(options: Choice[], words: string): Choice[] {
  const prefix = folded(words);
  if (!prefix) return options;
  const found = options.filter((option) => folded(option.label).includes(prefix));
  const first = found.filter((option) => folded(option.label).startsWith(prefix));
  return [...first, ...found.filter((option) => !first.includes(option))];
}

/** Puts `list` into the top layer below `anchor`, or above it where there is more room; a dialog cannot cut it off. */
function usePopoverPosition(open: boolean, anchor: RefObject<HTMLElement | null>, list: RefObject<HTMLElement | null>) {
  useLayoutEffect(() => {
    const [field, box] = [anchor.current, list.current];
    if (!open || !field || !box) return;
    const viewport = window.visualViewport; // a phone's keyboard takes the lower half
    const place = () => {
      const at = field.getBoundingClientRect();
      const [top, height] = [viewport?.offsetTop ?? 0, viewport?.height ?? window.innerHeight];
      const [above, below] = [at.top - top - 2 * GAP, top + height - at.bottom - 2 * GAP];
      const up = below < 160 && above > below;
      box.style.maxHeight = `${Math.max(96, Math.min(272, up ? above : below))}px`;
      box.style.minWidth = `${Math.max(at.width, 176)}px`;
      box.style.left = `${Math.max(8, Math.min(at.left, document.documentElement.clientWidth - box.offsetWidth - 8))}px`;
      box.style.top = `${up ? at.top - GAP - box.offsetHeight : at.bottom + GAP}px`;
    };
    box.showPopover?.();
    place();
    const sized = new ResizeObserver(place);
    sized.observe(box);
    window.addEventListener("scroll", place, { capture: true, passive: true });
    window.addEventListener("resize", place);
    viewport?.addEventListener("resize", place);
    return () => {
      sized.disconnect();
      window.removeEventListener("scroll", place, { capture: true });
      window.removeEventListener("resize", place);
      viewport?.removeEventListener("resize", place);
    };
  }, [open]);
}

type Offered = {
  options: Choice[];
  text: string;
  pick: (text: string) => void;
  /** The note below the field for a value that is not among the options. */
  fresh?: string;
  /** What the options are, in the plural: "classes". */
  noun?: string;
  invalid?: boolean;
  className?: string;
};

/**
 * What an `<input>` needs to offer `options`: `inputProps` for it, `withList` to draw it with its list and hint,
 * `handleKey` for its keys (true: handled, so that no other handler gets the key), and `typed` to be called with each change.
 */
export function useChoices({ options, text, pick, fresh = "", noun = "choices", invalid, className }: Offered) {
  const [open, setOpen] = useState(false);
  const [query, setQuery] = useState("");
  const [touched, setTouched] = useState(false);
  const [active, setActive] = useState(-1);
  const field = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const id = useId();
  const found = matching(options, query);
  const shown = found.slice(0, SHOWN);
  const same = text.trim();
  const drawn = open && shown.length > 0 && !(query && shown.length === 1 && shown[0].value === same);
  const isNew = touched && same !== "" && !options.some((option) => option.value === same);
  const similar = isNew ? options.find((option) => folded(option.value) === folded(same)) : undefined;
  usePopoverPosition(drawn, field, list);
  useEffect(() => {
    list.current?.querySelector("[data-active]")?.scrollIntoView({ block: "nearest" });
  }, [active, drawn]);

  const close = () => (setOpen(false), setActive(-1));
  const reset = () => (close(), setTouched(false));
  const show = (at: number) => {
    setQuery(""); // all options, whatever is in the field
    setActive(at);
    setOpen(true);
  };
  const take = (option: Choice) => {
    setTouched(true);
    pick(option.value);
    close();
  };
  const typed = (next: string) => {
    setTouched(true);
    setQuery(next);
    setActive(-1);
    setOpen(next.trim() !== "");
  };
  const handleKey = (event: KeyboardEvent): boolean => {
    if (event.nativeEvent.isComposing) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && !event.altKey && drawn) setActive((active + step + (active < 0 && step < 0 ? 1 : 0) + shown.length) % shown.length);
    else if (step && !drawn && options.length) show(Math.max(0, options.slice(0, SHOWN).findIndex((option) => option.value === same)));
    else if (event.key === "ArrowUp" && event.altKey && drawn) close();
    else if (event.key === "Enter" && drawn && active >= 0) take(shown[active]);
    else if (event.key === "Escape" && drawn) close();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  const hint = isNew && !invalid ? (similar ? `${fresh}. Did you mean “${similar.value}”?` : fresh) : "";
  const inputProps = {
    role: "combobox",
    autoComplete: "off",
    autoCapitalize: "none",
    spellCheck: false,
    "aria-autocomplete": "list" as const,
    "aria-expanded": drawn,
    "aria-controls": drawn ? `${id}-list` : undefined,
    "aria-activedescendant": drawn && active >= 0 ? `${id}-${active}` : undefined,
  };
  const rest = found.length - shown.length;
  const withList = (input: ReactNode) => (
    <div className={cn("flex min-w-0 flex-col gap-1", className)}>
      <div ref={field} className="relative">
        {input}
        <button
          type="button"
          tabIndex={-1}
          aria-label={`Show ${noun}`}
          aria-expanded={drawn}
          onMouseDown={(event) => event.preventDefault()} // the field keeps the focus
          onClick={() => {
            field.current?.querySelector("input")?.focus();
            drawn ? close() : show(-1);
          }}
          className="absolute inset-y-0 right-0 grid w-8 cursor-pointer place-items-center rounded-r-lg text-muted-foreground hover:text-foreground touch:w-11"
        >
          <ChevronDown aria-hidden className="size-4" />
        </button>
        {drawn && (
          <div
            ref={list}
            popover="manual"
            onMouseDown={(event) => event.preventDefault()}
            className="fixed inset-auto m-0 w-max max-w-[min(20rem,calc(100vw-1rem))] overflow-y-auto rounded-lg border border-border bg-popover p-1 text-sm font-normal text-foreground shadow-float"
          >
            <ul role="listbox" id={`${id}-list`} aria-label={noun}>
              {shown.map((option, index) => (
                <li
                  key={option.value}
                  id={`${id}-${index}`}
                  role="option"
                  aria-selected={index === active}
                  data-active={index === active ? "" : undefined}
                  onClick={() => take(option)}
                  className="flex cursor-pointer items-center gap-2 rounded-md px-2.5 py-1.5 select-none hover:bg-muted data-active:bg-muted touch:min-h-11"
                >
                  <span className="min-w-0 flex-1 break-words">{option.label}</span>
                  {option.value === same && <Check aria-hidden className="size-4 shrink-0 text-primary" />}
                  {option.hint && <span className="tabular shrink-0 text-xs text-muted-foreground">{option.hint}</span>}
                </li>
              ))}
            </ul>
            {rest > 0 && <p className="px-2.5 py-1.5 text-xs text-muted-foreground">and {rest.toLocaleString("en")} more: type to find them</p>}
          </div>
        )}
      </div>
      <div aria-live="polite" className="empty:hidden">
        {hint && <p className="text-xs font-normal break-words text-muted-foreground">{hint}</p>}
      </div>
    </div>
  );
  return { inputProps, withList, handleKey, typed, close, reset };
}

type Props = Omit<Offered, "text" | "pick" | "options"> & {
  options?: Choice[];
  value?: string;
  onChange?: (value: string) => void;
  id?: string;
  [key: string]: unknown;
};

export function Combobox({ options = [], value = "", onChange, fresh, noun, id, invalid, className, ...rest }: Props) {
  const typed = useTyped(value, onChange);
  const described = useField({ id, invalid });
  const refused = Boolean(described["aria-invalid"]);
  const choices = useChoices({ options, text: typed.text ?? "", pick: typed.type, fresh, noun, invalid: refused, className });
  return choices.withList(
    <input
      {...described}
      {...rest}
      {...choices.inputProps}
      value={typed.text}
      className={cn(controlClasses, controlHeight.md, "pl-3 pr-8 touch:pr-11")}
      onChange={(event) => {
        choices.typed(event.target.value);
        typed.change(event);
      }}
      onBlur={() => {
        choices.close();
        typed.flush();
      }}
      onKeyDown={(event) => {
        if (!choices.handleKey(event) && event.key === "Enter") typed.flush();
      }}
    />,
  );
}
