// The open confirmation; its code is loaded with the first opening.
import * as Radix from "@radix-ui/react-alert-dialog";
import { useState } from "react";
import { buttonClasses } from "./button";
import { cn } from "./cn";
import { overlayClasses, panelClasses, type ModalProps } from "./dialog_panel";
import { controlClasses, controlHeight } from "./input";

export type PanelProps = ModalProps & { name?: string; confirm?: string; cancel?: string; destructive?: boolean; onConfirm?: () => void };

/** Several spaces of a name count as one, as a page shows them. */
const plain = (text: string) => text.trim().replace(/\s+/g, " ");

export default function ConfirmPanel({ open, change: onChange, restore, title, description, name, confirm = "Delete", cancel = "Keep it", destructive = true, onConfirm, children }: PanelProps) {
  const [typed, setTyped] = useState("");
  const ready = !name || plain(typed) === plain(name);
  const change = (next: boolean) => {
    setTyped("");
    onChange(next);
  };
  const go = () => {
    if (!ready) return;
    change(false);
    onConfirm?.();
  };
  return (
    <Radix.Root open={open} onOpenChange={change}>
      <Radix.Portal>
        <Radix.Overlay className={overlayClasses} />
        <Radix.Content className={cn(panelClasses, "sm:max-w-md")} onCloseAutoFocus={restore} {...(description ? {} : { "aria-describedby": undefined })}>
          <form
            onSubmit={(event) => {
              event.preventDefault();
              event.stopPropagation();
              go();
            }}
            className="flex flex-col gap-4 p-5 touch:p-4"
          >
            <div>
              <Radix.Title className="text-base font-semibold">{title}</Radix.Title>
              {description && <Radix.Description className="mt-1 text-sm text-muted-foreground">{description}</Radix.Description>}
            </div>
            {children}
            {name && (
              <label className="flex flex-col gap-1.5 text-sm">
                <span>
                  Type <span className="font-mono font-medium">{name}</span> to confirm
                </span>
                <input
                  value={typed}
                  onChange={(event) => setTyped(event.target.value)}
                  autoComplete="off"
                  spellCheck={false}
                  className={cn(controlClasses, controlHeight.md, "px-3 font-mono")}
                />
              </label>
            )}
            <div className="flex flex-wrap justify-end gap-2">
              <Radix.Cancel type="button" className={buttonClasses({ variant: "outline" })}>
                {cancel}
              </Radix.Cancel>
              <button type="submit" disabled={!ready} className={buttonClasses({ variant: destructive ? "danger" : "primary" })}>
                {confirm}
              </button>
            </div>
          </form>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
