// A label, its control, and below it either a hint or an error, wired for screen readers.
import { CircleAlert } from "lucide-react";
import { createContext, useContext, useId, type ReactNode } from "react";
import { cn } from "./cn";

type FieldState = { id: string; describedBy?: string; invalid: boolean; required: boolean };
const FieldContext = createContext<FieldState | null>(null);

/** The ids and the state that a control takes over from the field around it. */
export function useField(own: { id?: string; invalid?: boolean } = {}) {
  const field = useContext(FieldContext);
  const invalid = own.invalid ?? field?.invalid ?? false;
  return {
    id: own.id ?? field?.id,
    "aria-describedby": field?.describedBy,
    "aria-invalid": invalid || undefined,
    "aria-required": field?.required || undefined,
  };
}

type Props = {
  label?: string;
  hint?: string;
  error?: string;
  errorId?: string;
  required?: boolean;
  controlId?: string;
  group?: boolean;
  className?: string;
  aside?: ReactNode;
  help?: ReactNode;
  children?: ReactNode;
};

export function Field({ label, hint, error, errorId, required = false, controlId, group = false, className, aside, help, children }: Props) {
  const made = useId();
  const id = controlId || made;
  const note = `${id}-note`;
  const state = { id, describedBy: errorId || (error || hint ? note : undefined), invalid: Boolean(error || errorId), required };
  const labelClass = "min-w-0 text-sm font-medium text-foreground";
  return (
    <div
      className={cn("flex min-w-0 flex-col gap-1.5", className)}
      role={group ? "group" : undefined}
      aria-labelledby={group ? `${id}-label` : undefined}
      data-field={controlId}
      data-invalid={error || errorId ? "" : undefined}
    >
      {(label || aside) && (
        <div className="flex min-h-5 items-baseline justify-between gap-3">
          <span className="inline-flex min-w-0 items-center gap-0.5">
            {label &&
              (group ? (
                <span id={`${id}-label`} className={labelClass}>
                  {label}
                </span>
              ) : (
                <label htmlFor={id} className={labelClass}>
                  {label}
                </label>
              ))}
            {help}
          </span>
          {aside}
        </div>
      )}
      <FieldContext.Provider value={state}>{children}</FieldContext.Provider>
      <div aria-live="polite" className="empty:hidden">
        {error ? (
          <p id={note} className="flex items-start gap-1.5 text-xs text-destructive">
            <CircleAlert aria-hidden className="mt-px size-3.5 shrink-0" />
            <span>{error}</span>
          </p>
        ) : hint ? (
          <p id={note} className="text-xs text-muted-foreground">
            {hint}
          </p>
        ) : null}
      </div>
    </div>
  );
}
