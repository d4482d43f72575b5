// The menu and its button, from the first press on; it opens at once, for the press has happened.
import * as Radix from "@radix-ui/react-dropdown-menu";
import type { ReactNode } from "react";
import { MenuParts } from "./menu_parts";

export type PanelProps = { trigger: ReactNode; label?: string; className: string; align: "start" | "end"; children?: ReactNode };

export default function MenuPanel({ trigger, label, className, align, children }: PanelProps) {
  return (
    <MenuParts.Provider value={Radix}>
      <Radix.Root modal={false} defaultOpen>
        <Radix.Trigger aria-label={label} className={className}>
          {trigger}
        </Radix.Trigger>
        <Radix.Portal>
          <Radix.Content
            align={align}
            sideOffset={4}
            className="z-60 min-w-44 rounded-lg border border-border bg-popover p-1 text-sm text-foreground shadow-float animate-enter"
          >
            {children}
          </Radix.Content>
        </Radix.Portal>
      </Radix.Root>
    </MenuParts.Provider>
  );
}
