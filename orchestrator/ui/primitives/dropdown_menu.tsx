// A menu under a button of its own. Items stand as children, so Python gives each its handler or its address.
import { useContext, useState, type ReactNode, type SyntheticEvent } from "react";
import { useNavigate } from "react-router";
import { buttonClasses } from "./button";
import { cn } from "./cn";
import { later } from "./later";
import { MenuParts } from "./menu_parts";

type Props = {
  trigger?: ReactNode;
  label?: string;
  variant?: "primary" | "outline" | "secondary" | "ghost";
  size?: "sm" | "md" | "lg" | "icon" | "icon-sm";
  align?: "start" | "end";
  className?: string;
  children?: ReactNode;
};

const { Part: Panel, preload } = later(() => import("./menu_panel"));

export function DropdownMenu({ trigger, label, variant = "outline", size = "md", align = "end", className, children }: Props) {
  const [pressed, setPressed] = useState(false);
  const press = (event: SyntheticEvent) => {
    event.preventDefault(); // else the button takes the focus from the menu that opens
    setPressed(true);
  };
  const classes = cn(buttonClasses({ variant, size }), className);
  // A plain button until it is pressed. It takes the press on the way down, as the menu's own button does.
  const plain = (
    <button
      type="button"
      aria-label={label}
      aria-haspopup="menu"
      aria-expanded={false}
      className={classes}
      onClick={press}
      onPointerDown={(event) => event.button === 0 && event.pointerType === "mouse" && !event.ctrlKey && press(event)}
      onKeyDown={(event) => event.key === "ArrowDown" && press(event)}
      {...preload}
    >
      {trigger}
    </button>
  );
  if (!pressed) return plain;
  return (
    <Panel fallback={plain} trigger={trigger} label={label} className={classes} align={align}>
      {children}
    </Panel>
  );
}

type ItemProps = {
  href?: string;
  destructive?: boolean;
  disabled?: boolean;
  onClick?: () => void;
  children?: ReactNode;
};

export function MenuItem({ href, destructive, disabled, onClick, children }: ItemProps) {
  const navigate = useNavigate();
  const Radix = useContext(MenuParts);
  const go = () => {
    // The menu closes first: what the item opens may then take the focus.
    if (onClick) window.setTimeout(() => onClick(), 0);
    if (!href) return;
    if (/^(\/api|\/docs|[a-z]+:)/.test(href)) window.location.assign(href);
    else navigate(href);
  };
  if (!Radix) return null;
  return (
    <Radix.Item
      disabled={disabled}
      onSelect={go}
      className={cn(
        "flex h-9 cursor-pointer select-none items-center gap-2.5 rounded-md px-2.5 outline-none data-[disabled]:cursor-not-allowed data-[disabled]:opacity-50 data-[highlighted]:bg-muted touch:h-11 [&>svg]:size-4 [&>svg]:text-muted-foreground",
        destructive && "text-destructive data-[highlighted]:bg-destructive/10 [&>svg]:text-destructive",
      )}
    >
      {children}
    </Radix.Item>
  );
}

export function MenuLabel({ children }: { children?: ReactNode }) {
  const Radix = useContext(MenuParts);
  return Radix && <Radix.Label className="px-2.5 py-1.5 text-xs text-muted-foreground">{children}</Radix.Label>;
}

export function MenuSeparator() {
  const Radix = useContext(MenuParts);
  return Radix && <Radix.Separator className="-mx-1 my-1 h-px bg-border" />;
}
