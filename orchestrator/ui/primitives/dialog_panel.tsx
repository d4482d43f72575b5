// What an open dialog shows; its code comes with the first opening.
import * as Radix from "@radix-ui/react-dialog";
import { X } from "lucide-react";
import { useEffect, useRef, type ReactNode } from "react";
import { cn } from "./cn";
import { DialogParts } from "./dialog_parts";

const widths = { sm: "sm:max-w-md", md: "sm:max-w-lg", lg: "sm:max-w-2xl" };

/** What every modal panel gets; `restore` gives the focus back to the element that opened it. */
export type ModalProps = {
  open: boolean;
  change: (open: boolean) => void;
  restore: (event: Event) => void;
  title: string;
  description?: string;
  children?: ReactNode;
};

export type PanelProps = ModalProps & { size?: "sm" | "md" | "lg"; footer?: ReactNode };

/** The first field takes the focus, where there is one; else the close button, as Radix does. */
function firstField(event: Event) {
  const field = (event.currentTarget as HTMLElement).querySelector<HTMLElement>("input:not([type=hidden]):not([hidden]), textarea, [role=combobox]");
  if (!field) return;
  event.preventDefault();
  field.focus();
}

/** Escape first closes the list of a field, where one is open. */
function listFirst(event: KeyboardEvent) {
  if ((event.target as HTMLElement).matches("input[role=combobox][aria-expanded=true]")) event.preventDefault();
}

export const overlayClasses = "fixed inset-0 z-50 bg-black/60 animate-fade";
export const panelClasses =
  "fixed z-50 flex w-full flex-col break-words border border-border bg-popover text-foreground shadow-float animate-enter outline-none max-sm:inset-x-0 max-sm:bottom-0 max-sm:max-h-[90dvh] max-sm:rounded-t-xl sm:left-1/2 sm:top-1/2 sm:max-h-[85dvh] sm:-translate-x-1/2 sm:-translate-y-1/2 sm:rounded-xl";

export default function DialogPanel({ open, change, restore, title, description, size = "md", footer, children }: PanelProps) {
  // A press outside must not discard what was typed; Escape and the close button still do.
  const typed = useRef(false);
  useEffect(() => {
    if (open) typed.current = false;
  }, [open]);
  return (
    <DialogParts.Provider value={Radix}>
      <Radix.Root open={open} onOpenChange={change}>
        <Radix.Portal>
          <Radix.Overlay className={overlayClasses} />
          <Radix.Content
            className={cn(panelClasses, widths[size])}
            onCloseAutoFocus={restore}
            onOpenAutoFocus={firstField}
            onEscapeKeyDown={listFirst}
            onInput={() => {
              typed.current = true;
            }}
            onPointerDownOutside={(event) => typed.current && event.preventDefault()}
            {...(description ? {} : { "aria-describedby": undefined })}
          >
            <div className="flex items-start justify-between gap-4 px-5 pt-5 touch:px-4">
              <div className="min-w-0">
                <Radix.Title className="text-base font-semibold">{title}</Radix.Title>
                {description && <Radix.Description className="mt-1 text-sm text-muted-foreground">{description}</Radix.Description>}
              </div>
              <Radix.Close
                aria-label="Close"
                className="-mr-1.5 -mt-1.5 flex size-8 shrink-0 items-center justify-center rounded-md border border-transparent text-muted-foreground focus-ring hover:bg-muted hover:text-foreground tap"
              >
                <X aria-hidden className="size-4" />
              </Radix.Close>
            </div>
            <div className="min-h-0 flex-1 overflow-y-auto px-5 py-4 touch:px-4">{children}</div>
            {footer && <div className="flex flex-wrap justify-end gap-2 border-t border-border px-5 py-4 touch:px-4">{footer}</div>}
          </Radix.Content>
        </Radix.Portal>
      </Radix.Root>
    </DialogParts.Provider>
  );
}
