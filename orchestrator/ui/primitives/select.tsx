// A select on Radix: options come as data, so that a Python list or a reactive one both do.
import * as Radix from "@radix-ui/react-select";
import { Check, ChevronDown } from "lucide-react";
import { cn } from "./cn";
import { useField } from "./field";
import { controlHeight } from "./input";

type Option = { value: string; label: string; hint?: string; disabled?: boolean };
type Props = {
  options?: Option[];
  value?: string;
  defaultValue?: string;
  onChange?: (value: string) => void;
  placeholder?: string;
  name?: string;
  disabled?: boolean;
  invalid?: boolean;
  muted?: boolean;
  id?: string;
  label?: string;
  className?: string;
};

export function Select({ options = [], value, defaultValue, onChange, placeholder = "Choose", name, disabled, invalid, muted, id, label, className }: Props) {
  const wiring = useField({ id, invalid });
  return (
    <Radix.Root value={value} defaultValue={defaultValue} onValueChange={onChange} name={name} disabled={disabled}>
      <Radix.Trigger
        {...wiring}
        aria-label={label}
        className={cn(
          "inline-flex min-w-0 max-w-full cursor-pointer items-center justify-between gap-2 rounded-lg border text-left text-sm text-foreground focus-ring aria-invalid:border-destructive disabled:cursor-not-allowed disabled:opacity-50 data-[placeholder]:text-muted-foreground",
          controlHeight.md,
          muted ? "border-border bg-card px-3.5 font-medium hover:bg-muted sm:max-w-64" : "w-full border-input bg-background px-3",
          className,
        )}
      >
        <span className="truncate">
          <Radix.Value placeholder={placeholder} />
        </span>
        <Radix.Icon asChild>
          <ChevronDown aria-hidden className="size-4 shrink-0 text-muted-foreground" />
        </Radix.Icon>
      </Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          position="popper"
          sideOffset={4}
          className="z-60 max-h-(--radix-select-content-available-height) min-w-(--radix-select-trigger-width) max-w-[min(28rem,calc(100vw-1rem))] overflow-hidden rounded-lg border border-border bg-popover p-1 text-sm text-foreground shadow-float animate-enter"
        >
          <Radix.Viewport>
            {options.map((option) => (
              <Radix.Item
                key={option.value}
                value={option.value}
                disabled={option.disabled}
                className="relative flex cursor-pointer select-none items-center gap-2 rounded-md py-1.5 pl-2.5 pr-8 outline-none data-[disabled]:cursor-not-allowed data-[disabled]:opacity-50 data-[highlighted]:bg-muted touch:min-h-11"
              >
                <span className="min-w-0 break-words">
                  <Radix.ItemText>{option.label}</Radix.ItemText>
                  {option.hint && <span className="block text-xs text-muted-foreground">{option.hint}</span>}
                </span>
                <Radix.ItemIndicator className="absolute right-2.5">
                  <Check aria-hidden className="size-4 text-primary" />
                </Radix.ItemIndicator>
              </Radix.Item>
            ))}
          </Radix.Viewport>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
