// Tabs on Radix; panels stand as children, each with its value.
import * as Radix from "@radix-ui/react-tabs";
import type { ReactNode } from "react";

type Props = {
  items?: { value: string; label: string; count?: number }[];
  value?: string;
  defaultValue?: string;
  onChange?: (value: string) => void;
  label?: string;
  className?: string;
  children?: ReactNode;
};

export function Tabs({ items = [], value, defaultValue, onChange, label, className, children }: Props) {
  return (
    <Radix.Root
      {...(value === undefined ? { defaultValue: defaultValue || items[0]?.value } : { value: value || items[0]?.value })}
      onValueChange={onChange}
      className={className}
    >
      <div className="overflow-x-auto overflow-y-hidden border-b border-border [scrollbar-width:none]">
        <Radix.List aria-label={label} className="flex min-w-max gap-5">
          {items.map((item) => (
            <Radix.Trigger
              key={item.value}
              value={item.value}
              className="-mb-px inline-flex h-10 cursor-pointer items-center gap-1.5 rounded-t-md border-b-2 border-transparent px-1 text-sm text-muted-foreground outline-none transition-colors hover:text-foreground focus-visible:bg-primary/13 focus-visible:text-foreground data-[state=active]:border-primary data-[state=active]:font-medium data-[state=active]:text-foreground touch:h-11"
            >
              {item.label}
              {item.count !== undefined && item.count !== null && <span className="text-xs tabular text-muted-foreground">{item.count}</span>}
            </Radix.Trigger>
          ))}
        </Radix.List>
      </div>
      {children}
    </Radix.Root>
  );
}

export function TabPanel({ value, className, children }: { value: string; className?: string; children?: ReactNode }) {
  return (
    <Radix.Content value={value} className={`outline-none ${className || "pt-4"}`}>
      {children}
    </Radix.Content>
  );
}
