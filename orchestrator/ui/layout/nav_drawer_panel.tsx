// The drawer of a phone, once it is open; its code comes with the first opening.
import * as Radix from "@radix-ui/react-dialog";
import { X } from "lucide-react";
import type { MouseEvent, ReactNode } from "react";
import { cn } from "../primitives/cn";
import { squareButton } from "./theme_toggle";

type Props = { open: boolean; change: (open: boolean) => void; restore: (event: Event) => void; children?: ReactNode };

export default function NavDrawerPanel({ open, change, restore, children }: Props) {
  const follow = (event: MouseEvent) => {
    if ((event.target as HTMLElement).closest("a")) change(false);
  };
  return (
    <Radix.Root open={open} onOpenChange={change}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-50 bg-black/60 animate-fade md:hidden" />
        <Radix.Content
          aria-describedby={undefined}
          onClick={follow}
          onCloseAutoFocus={restore}
          className="fixed inset-y-0 left-0 z-50 flex w-72 max-w-[85vw] flex-col border-r border-border bg-background shadow-float outline-none animate-drawer md:hidden"
        >
          <Radix.Title className="sr-only">Menu</Radix.Title>
          <Radix.Close aria-label="Close menu" className={cn(squareButton, "absolute right-2 top-1.5")}>
            <X aria-hidden className="size-5" />
          </Radix.Close>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
