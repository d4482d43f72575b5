// A tooltip for an element that already has a name; never the only place of an information.
import * as Radix from "@radix-ui/react-tooltip";
import type { ReactNode } from "react";

export function Tooltip({ text, side = "top", children }: { text: string; side?: "top" | "bottom" | "left" | "right"; children?: ReactNode }) {
  return (
    <Radix.Provider delayDuration={300}>
      <Radix.Root>
        <Radix.Trigger asChild>
          <span className="inline-flex">{children}</span>
        </Radix.Trigger>
        <Radix.Portal>
          <Radix.Content side={side} sideOffset={6} className="z-70 max-w-64 rounded-md border border-border bg-popover px-2.5 py-1.5 text-xs text-foreground shadow-float animate-fade">
            {text}
          </Radix.Content>
        </Radix.Portal>
      </Radix.Root>
    </Radix.Provider>
  );
}
