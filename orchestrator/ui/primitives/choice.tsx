// Choices that stand open: a check, a switch, cards of which one is taken, and a segmented row.
import * as RadixCheckbox from "@radix-ui/react-checkbox";
import * as RadixRadio from "@radix-ui/react-radio-group";
import * as RadixSwitch from "@radix-ui/react-switch";
import { Check, Minus } from "lucide-react";
import { useEffect, useId, useState, type ReactNode } from "react";
import { cn } from "./cn";
import { useField } from "./field";

/** A value that Python may hold or leave to the browser. */
function useHeld<T>(value: T | undefined, start: T, onChange?: (value: T) => void) {
  const [own, setOwn] = useState<T>(value ?? start);
  useEffect(() => {
    if (value !== undefined && value !== null) setOwn(value);
  }, [value]);
  return [
    own,
    (next: T) => {
      setOwn(next);
      onChange?.(next);
    },
  ] as const;
}

type BoxProps = {
  checked?: boolean;
  defaultChecked?: boolean;
  partly?: boolean;
  onChange?: (checked: boolean) => void;
  label?: ReactNode;
  note?: string;
  name?: string;
  disabled?: boolean;
  boxed?: boolean;
  id?: string;
  className?: string;
  ariaLabel?: string;
};

export function Checkbox({ checked, defaultChecked = false, partly, onChange, label, note, name, disabled, boxed, id, className, ariaLabel }: BoxProps) {
  const made = useId();
  const [on, set] = useHeld(checked, defaultChecked, onChange);
  const own = id || made;
  return (
    <span
      className={cn(
        "inline-flex items-center gap-2.5 touch:min-h-11",
        boxed && "gap-2 rounded-md border border-border px-2 py-1 has-[[data-state=checked]]:border-input",
        className,
      )}
    >
      <RadixCheckbox.Root
        id={own}
        name={name}
        checked={partly ? "indeterminate" : on}
        disabled={disabled}
        aria-label={ariaLabel}
        onCheckedChange={(next) => set(next === true)}
        className="relative touch:after:absolute touch:after:-inset-3.5 touch:after:content-[''] flex size-4 shrink-0 items-center justify-center rounded-sm border border-input bg-background text-primary-foreground focus-ring disabled:cursor-not-allowed disabled:opacity-50 data-[state=checked]:border-primary data-[state=checked]:bg-primary data-[state=indeterminate]:border-primary data-[state=indeterminate]:bg-primary"
      >
        <RadixCheckbox.Indicator>
          {partly ? <Minus aria-hidden className="size-3" strokeWidth={3} /> : <Check aria-hidden className="size-3" strokeWidth={3} />}
        </RadixCheckbox.Indicator>
      </RadixCheckbox.Root>
      {label && (
        <label htmlFor={own} className={cn("text-sm", boxed && "font-mono text-xs", disabled && "opacity-50")}>
          {label}
          {note && <span className="ml-1.5 font-sans text-xs text-muted-foreground">{note}</span>}
        </label>
      )}
    </span>
  );
}

export function Switch({ checked, defaultChecked = false, onChange, label, note, name, disabled, id, className, ariaLabel }: BoxProps) {
  const made = useId();
  const [on, set] = useHeld(checked, defaultChecked, onChange);
  const own = id || made;
  return (
    <span className={cn("inline-flex items-center gap-2.5 touch:min-h-11", className)}>
      <RadixSwitch.Root
        id={own}
        name={name}
        checked={on}
        disabled={disabled}
        aria-label={ariaLabel}
        onCheckedChange={set}
        className="relative touch:after:absolute touch:after:-inset-3.5 touch:after:content-[''] h-5 w-9 shrink-0 rounded-full border border-input bg-muted transition-colors focus-ring disabled:cursor-not-allowed disabled:opacity-50 data-[state=checked]:border-primary data-[state=checked]:bg-primary"
      >
        <RadixSwitch.Thumb className="block size-3.5 translate-x-0.5 rounded-full bg-foreground transition-transform data-[state=checked]:translate-x-[1.125rem] data-[state=checked]:bg-primary-foreground" />
      </RadixSwitch.Root>
      {label && (
        <label htmlFor={own} className="text-sm">
          {label}
          {note && <span className="ml-1.5 text-xs text-muted-foreground">{note}</span>}
        </label>
      )}
    </span>
  );
}

type CardOption = { value: string; label: string; figure?: string; note?: string; disabled?: boolean };
type CardsProps = {
  options?: CardOption[];
  value?: string;
  defaultValue?: string;
  onChange?: (value: string) => void;
  label?: string;
  name?: string;
  columns?: number;
  className?: string;
};

export function RadioCards({ options = [], value, defaultValue = "", onChange, label, name, columns = 3, className }: CardsProps) {
  const [own, set] = useHeld(value, defaultValue, onChange);
  const grid = { 1: "", 2: "md:grid-cols-2", 3: "md:grid-cols-3", 4: "md:grid-cols-4" }[columns] ?? "";
  return (
    <RadixRadio.Root aria-label={label} value={own} onValueChange={set} name={name} className={cn("grid gap-3", grid, className)}>
      {options.map((option) => (
        <RadixRadio.Item
          key={option.value}
          value={option.value}
          disabled={option.disabled}
          className="group flex cursor-pointer flex-row-reverse items-start justify-end gap-3 rounded-xl border border-border bg-card p-4 text-left transition-colors focus-ring hover:border-input disabled:cursor-not-allowed disabled:opacity-50 data-[state=checked]:border-primary data-[state=checked]:bg-primary/8 data-[state=checked]:shadow-[0_0_0_1px_var(--primary)] md:flex-row md:justify-between"
        >
          <span className="min-w-0 flex-1">
            <span className="block text-sm font-medium text-foreground">{option.label}</span>
            {option.figure && <span className="mt-2 block text-sm text-foreground">{option.figure}</span>}
            {option.note && <span className="mt-0.5 block text-xs whitespace-pre-line text-muted-foreground">{option.note}</span>}
          </span>
          <span aria-hidden className="mt-0.5 flex size-4 shrink-0 items-center justify-center rounded-full border border-input group-data-[state=checked]:border-primary">
            <RadixRadio.Indicator className="size-2 rounded-full bg-primary" />
          </span>
        </RadixRadio.Item>
      ))}
    </RadixRadio.Root>
  );
}

type SegmentProps = {
  options?: { value: string; label: string; count?: number }[];
  value?: string;
  defaultValue?: string;
  onChange?: (value: string) => void;
  label?: string;
  name?: string;
  fill?: boolean;
  mono?: boolean;
  className?: string;
};

export function Segmented({ options = [], value, defaultValue, onChange, label, name, fill, mono, className }: SegmentProps) {
  const [own, set] = useHeld(value, defaultValue ?? options[0]?.value ?? "", onChange);
  const { id, ...wiring } = useField();
  return (
    <RadixRadio.Root
      {...wiring}
      aria-label={label}
      value={own}
      onValueChange={set}
      name={name}
      orientation="horizontal"
      className={cn("inline-flex max-w-full items-center gap-0.5 overflow-x-auto rounded-lg border p-[3px] touch:h-13", fill ? "w-full border-input" : "border-border", "h-9", className)}
    >
      {options.map((option) => (
        <RadixRadio.Item
          key={option.value}
          value={option.value}
          className={cn(
            "inline-flex h-full min-w-9 cursor-pointer items-center justify-center gap-1.5 whitespace-nowrap rounded-md border border-transparent px-2.5 text-sm text-muted-foreground transition-colors focus-ring hover:text-foreground data-[state=checked]:bg-muted data-[state=checked]:font-semibold data-[state=checked]:text-foreground touch:min-w-11",
            fill && "flex-1",
            mono && "font-mono",
          )}
        >
          {option.label}
          {option.count !== undefined && option.count !== null && <span className="text-xs font-normal tabular text-muted-foreground">{option.count}</span>}
        </RadixRadio.Item>
      ))}
    </RadixRadio.Root>
  );
}
