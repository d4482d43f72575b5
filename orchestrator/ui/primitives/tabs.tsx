// Tabs as the ARIA practices describe them: arrow keys, Home and End move and open, Tab leads into the panel.
// Written here because every job page loads them at once: Radix brings 9 KB of collections and roving focus for the same.
import { createContext, useContext, useId, useRef, useState, type KeyboardEvent, type ReactNode } from "react";

type Props = {
  items?: { value: string; label: string; count?: number }[];
  value?: string;
  defaultValue?: string;
  onChange?: (value: string) => void;
  label?: string;
  className?: string;
  children?: ReactNode;
};

const Open = createContext({ value: "", id: "" });
const MOVES: Record<string, (at: number, all: number) => number> = {
  ArrowRight: (at, all) => (at + 1) % all,
  ArrowLeft: (at, all) => (at - 1 + all) % all,
  Home: () => 0,
  End: (_, all) => all - 1,
};

export function Tabs({ items = [], value, defaultValue, onChange, label, className, children }: Props) {
  const id = useId();
  const row = useRef<HTMLDivElement>(null);
  const [own, setOwn] = useState(defaultValue);
  const open = (value === undefined ? own : value) || items[0]?.value || "";
  const show = (wanted: string) => {
    if (wanted === open) return;
    setOwn(wanted);
    onChange?.(wanted);
  };
  const move = (event: KeyboardEvent) => {
    // From the tab in focus: the server sets the open tab a moment after the key.
    const all = [...(row.current?.querySelectorAll<HTMLElement>("[role=tab]") ?? [])];
    const to = MOVES[event.key]?.(all.indexOf(event.target as HTMLElement), all.length);
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    all[to]?.focus();
    show(items[to].value);
  };
  return (
    <Open.Provider value={{ value: open, id }}>
      <div className={className}>
        <div className="overflow-x-auto overflow-y-hidden border-b border-border [scrollbar-width:none]">
          <div ref={row} role="tablist" aria-label={label} onKeyDown={move} className="flex min-w-max gap-5">
            {items.map((item) => (
              <button
                key={item.value}
                type="button"
                role="tab"
                id={`${id}-tab-${item.value}`}
                aria-selected={item.value === open}
                aria-controls={item.value === open ? `${id}-panel-${item.value}` : undefined}
                tabIndex={item.value === open ? 0 : -1}
                onClick={() => show(item.value)}
                className="-mb-px inline-flex h-10 cursor-pointer items-center gap-1.5 rounded-t-md border-b-2 border-transparent px-1 text-sm text-muted-foreground outline-none transition-colors hover:text-foreground focus-visible:bg-primary/13 focus-visible:text-foreground aria-selected:border-primary aria-selected:font-medium aria-selected:text-foreground touch:h-11"
              >
                {item.label}
                {item.count !== undefined && item.count !== null && <span className="text-xs tabular text-muted-foreground">{item.count}</span>}
              </button>
            ))}
          </div>
        </div>
        {children}
      </div>
    </Open.Provider>
  );
}

export function TabPanel({ value, className, children }: { value: string; className?: string; children?: ReactNode }) {
  const open = useContext(Open);
  if (open.value !== value) return null;
  return (
    <div role="tabpanel" id={`${open.id}-panel-${value}`} aria-labelledby={`${open.id}-tab-${value}`} tabIndex={0} className={`outline-none ${className || "pt-4"}`}>
      {children}
    </div>
  );
}
