// A password field that can be shown, and that says when Caps Lock is on.
import { ArrowBigUp, Eye, EyeOff } from "lucide-react";
import { useState, type KeyboardEvent } from "react";
import { cn } from "./cn";
import { useField } from "./field";
import { controlClasses, controlHeight, useTyped } from "./input";

type Props = {
  value?: string;
  onChange?: (value: string) => void;
  onBlur?: (value: string) => void;
  controlSize?: "md" | "lg";
  invalid?: boolean;
  id?: string;
  className?: string;
  [key: string]: unknown;
};

export function PasswordInput({ value, onChange, onBlur, controlSize = "md", invalid, id, className, ...rest }: Props) {
  const typed = useTyped(value, onChange);
  const wiring = useField({ id, invalid });
  const [shown, setShown] = useState(false);
  const [caps, setCaps] = useState(false);
  const watch = (event: KeyboardEvent<HTMLInputElement>) => {
    if (typeof event.getModifierState === "function") setCaps(event.getModifierState("CapsLock"));
    if (event.key === "Enter") typed.flush();
  };
  return (
    <>
      <span className="relative block">
        <input
          {...wiring}
          {...rest}
          {...(typed.text === undefined ? {} : { value: typed.text })}
          type={shown ? "text" : "password"}
          className={cn(controlClasses, controlHeight[controlSize], "pl-3 pr-11", className)}
          onChange={typed.change}
          onKeyDown={watch}
          onKeyUp={watch}
          onBlur={(event) => {
            setCaps(false);
            typed.flush();
            onBlur?.(event.target.value);
          }}
        />
        <button
          type="button"
          aria-label={shown ? "Hide password" : "Show password"}
          aria-pressed={shown}
          onClick={() => setShown(!shown)}
          className="absolute inset-y-0 right-0 flex w-11 items-center justify-center rounded-lg text-muted-foreground focus-ring hover:text-foreground"
        >
          {shown ? <EyeOff aria-hidden className="size-4" /> : <Eye aria-hidden className="size-4" />}
        </button>
      </span>
      <span aria-live="polite" className="empty:hidden">
        {caps && (
          <span className="flex items-center gap-1.5 text-xs text-warning">
            <ArrowBigUp aria-hidden className="size-3.5" /> Caps Lock is on
          </span>
        )}
      </span>
    </>
  );
}
