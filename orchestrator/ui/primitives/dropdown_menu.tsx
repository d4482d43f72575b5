// A menu under a button of its own. Items stand as children, so Python gives each its handler or its address.
import * as Radix from "@radix-ui/react-dropdown-menu";
import type { ReactNode } from "react";
import { useNavigate } from "react-router";
import { buttonClasses } from "./button";
import { cn } from "./cn";

type Props = {
  trigger?: ReactNode;
  label?: string;
  variant?: "primary" | "outline" | "secondary" | "ghost";
  size?: "sm" | "md" | "lg" | "icon" | "icon-sm";
  align?: "start" | "end";
  className?: string;
  children?: ReactNode;
};

export function DropdownMenu({ trigger, label, variant = "outline", size = "md", align = "end", className, children }: Props) {
  return (
    <Radix.Root modal={false}>
      <Radix.Trigger aria-label={label} className={cn(buttonClasses({ variant, size }), className)}>
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
  const go = () => {
    // The menu closes first: what the item opens may then take the focus.
    if (onClick) window.setTimeout(() => onClick(), 0);
    if (!href) return;
    if (href.startsWith("/api") || /^[a-z]+:/.test(href)) window.location.assign(href);
    else navigate(href);
  };
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
  return <Radix.Label className="px-2.5 py-1.5 text-xs text-muted-foreground">{children}</Radix.Label>;
}

export function MenuSeparator() {
  return <Radix.Separator className="-mx-1 my-1 h-px bg-border" />;
}
